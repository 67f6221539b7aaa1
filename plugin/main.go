// A plugin that greets whoever its input names and adds two messages from a
// store that the host keeps.
package main

import (
	"strings"

	"github.com/extism/go-pdk"
)

// hostMemoryGet is the host's: it takes the offset of a key in the memory that
// plugin and host share, and returns the offset of the value, or 0 when the
// store has no such key.
//
//go:wasmimport extism:host/user hostMemoryGet
func hostMemoryGet(key uint64) uint64

// lookUp returns the store's value for key, empty when there is none.
func lookUp(key string) string {
	// Both blocks are this plugin's to free: the host has read the key by the
	// time it returns, and it made the value's block for this call alone.
	k := pdk.AllocateString(key)
	defer k.Free()

	v := pdk.FindMemory(hostMemoryGet(k.Offset()))
	if v.Length() == 0 {
		return "" // a missing key's offset, 0, is a block of no length
	}
	defer v.Free()
	return string(v.ReadBytes())
}

// sayHello has no parameters and returns a code, because Extism moves the input
// and the output through memory; 0 is success.
//
//go:wasmexport say_hello
func sayHello() int32 {
	lines := []string{"👋 Hello " + pdk.InputString()}
	for _, key := range []string{"hello", "message"} {
		lines = append(lines, "key: "+key+", value: "+lookUp(key))
	}
	// The output's block is not freed here: the host reads it after the return.
	pdk.OutputString(strings.Join(lines, "\n"))
	return 0
}

// A reactor's main never runs, but Go and TinyGo both ask for one.
func main() {}
