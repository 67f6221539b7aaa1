;; The smallest plugin: one function that does nothing.
(module
  (func (export "run")))
