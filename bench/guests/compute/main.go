// Guests that compute as programs in Go do: each function does some work whose data is the same
// every time, and outputs a checksum of eight bytes.
//
// It uses no PDK, so that building it needs nothing but Go.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
)

//go:wasmimport extism:host/env alloc
func alloc(length uint64) uint64

//go:wasmimport extism:host/env store_u64
func storeU64(offset, value uint64)

//go:wasmimport extism:host/env output_set
func outputSet(offset, length uint64)

const (
	numberCount = 200_000
	hashedBytes = 5 << 20
	recordCount = 8_000
)

// output has the call answer with a checksum.
func output(checksum uint64) int32 {
	block := alloc(8)
	storeU64(block, checksum)
	outputSet(block, 8)
	return 0
}

// random calls use with count numbers that are the same every time.
func random(count int, use func(i int, number uint64)) {
	state := uint64(1)
	for i := range count {
		state = state*6364136223846793005 + 1442695040888963407
		use(i, state>>11)
	}
}

//go:wasmexport sort
func sortNumbers() int32 {
	numbers := make([]uint64, numberCount)
	random(numberCount, func(i int, number uint64) { numbers[i] = number })
	slices.Sort(numbers)
	checksum := uint64(0)
	for _, number := range numbers {
		checksum = checksum*31 + number
	}
	return output(checksum)
}

//go:wasmexport sha256
func hash() int32 {
	data := make([]byte, hashedBytes)
	random(hashedBytes/8, func(i int, number uint64) { binary.LittleEndian.PutUint64(data[i*8:], number) })
	sum := sha256.Sum256(data)
	return output(binary.LittleEndian.Uint64(sum[:]))
}

type record struct {
	ID    int      `json:"id"`
	Name  string   `json:"name"`
	Score float64  `json:"score"`
	Tags  []string `json:"tags"`
}

//go:wasmexport gzip
func compress() int32 {
	records := make([]record, recordCount)
	random(recordCount, func(i int, number uint64) {
		records[i] = record{
			ID:    i,
			Name:  fmt.Sprintf("record %d", number%10_000),
			Score: float64(number%1000) / 10,
			Tags:  []string{"extism", fmt.Sprint("tag", number%7)},
		}
	})
	document, err := json.Marshal(records)
	if err != nil {
		return 1
	}
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write(document); err != nil {
		return 1
	}
	if err := writer.Close(); err != nil {
		return 1
	}
	return output(uint64(crc32.ChecksumIEEE(compressed.Bytes())))
}

// A reactor's main never runs, but Go asks for one.
func main() {}
