// One thread that spins at the priority of the addon's workers, which is nice 10. It sends a
// message when it is about to, and ends after a minute even if nobody kills it.

import os from 'node:os'

os.setPriority(10)
process.send('spinning', () => {
  const end = performance.now() + 60_000
  while (performance.now() < end);
})
