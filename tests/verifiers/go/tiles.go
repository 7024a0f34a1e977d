package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8
	width  = 1 << height
)

// folder reads tiles where C2SP's tlog-tiles puts them: as tlog does, but for the height in the path.
type folder string

func (folder) Height() int { return height }

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (root folder) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, 0, len(wanted))
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(root), path))
		if err != nil {
			return nil, err
		}
		read = append(read, data)
	}
	return read, nil
}

// tiles follows every entry of every bundle to the signed root.
func tiles(vkey, root string) (string, error) {
	head, err := readHead(vkey, filepath.Join(root, "checkpoint"))
	if err != nil {
		return "", err
	}
	size := int64(head.Size)
	// The reader holds each tile against the root before it gives a hash of it.
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: tlog.Hash(head.Hash)}, folder(root))
	for first := int64(0); first < size; first += width {
		last := min(first+width, size)
		tile := tlog.Tile{H: height, L: 0, N: first / width, W: int(last - first)}
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", height), "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return "", err
		}
		indexes := make([]int64, 0, width)
		for index := first; index < last; index++ {
			indexes = append(indexes, tlog.StoredHashIndex(0, index))
		}
		stored, err := hashes.ReadHashes(indexes)
		if err != nil {
			return "", err
		}
		input := bytes.NewReader(bundle)
		for number, hash := range stored {
			var length uint16
			if err := binary.Read(input, binary.BigEndian, &length); err != nil {
				return "", err
			}
			entry := make([]byte, length)
			if _, err := input.Read(entry); err != nil {
				return "", err
			}
			if tlog.RecordHash(entry) != hash {
				return "", fmt.Errorf("entry %d is not in the tree", first+int64(number))
			}
		}
		if input.Len() > 0 {
			return "", fmt.Errorf("%s goes on behind its last entry", path)
		}
	}
	return fmt.Sprintf("%d entries", size), nil
}
