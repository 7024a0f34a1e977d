// verify-log checks heads and proofs of a transparency log with software that Mandate's authors did not write:
// golang.org/x/mod/sumdb (note, tlog), github.com/transparency-dev/merkle and .../formats. Where two of them can
// judge the same thing, both must accept it.
//
//	verify-log checkpoint  VKEY HEAD                  a head and who signed it
//	verify-log cosignature VKEY WITNESS_VKEY HEAD     the same, with a witness's signature
//	verify-log inclusion   VKEY ENVELOPE PROOF        a tlog-proof of an envelope
//	verify-log consistency VKEY OLD NEW PROOF         two heads, and the proof between them: a base64 hash a line
//	verify-log witness     SKEY VKEY OLD REQUEST      as a witness that saw the head OLD: sign what is requested
//	verify-log tiles       VKEY FOLDER                tiles, entry bundles and checkpoint of a whole log, as C2SP's
//	                                                  tlog-tiles lays them out
//
// Exit code 0: accepted; 1: refused, and standard error says why.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strings"

	"github.com/transparency-dev/formats/log"
	witness "github.com/transparency-dev/formats/note"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	said, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "refused:", err)
		os.Exit(1)
	}
	fmt.Println(strings.TrimSuffix(said, "\n"))
}

func run(args []string) (string, error) {
	switch command := strings.Join(args[:min(1, len(args))], ""); {
	case command == "version":
		return "verify-log", nil
	case command == "checkpoint" && len(args) == 3:
		head, err := readHead(args[1], args[2])
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s %d %x", head.Origin, head.Size, head.Hash), nil
	case command == "cosignature" && len(args) == 4:
		return cosignature(args[1], args[2], args[3])
	case command == "inclusion" && len(args) == 4:
		return inclusion(args[1], args[2], args[3])
	case command == "tiles" && len(args) == 3:
		return tiles(args[1], args[2])
	case command == "consistency" && len(args) == 5:
		return consistency(args[1], args[2], args[3], args[4])
	case command == "witness" && len(args) == 5:
		return cosigned(args[1], args[2], args[3], args[4])
	}
	return "", fmt.Errorf("no such command, or not with so many arguments: %q", args)
}

// parseHead opens a head that the log with this key signed under its own name.
func parseHead(vkey string, data []byte, others ...note.Verifier) (*log.Checkpoint, *note.Note, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, nil, err
	}
	head, extensions, signed, err := log.ParseCheckpoint(data, verifier.Name(), verifier, others...)
	if err != nil {
		return nil, nil, err
	}
	if len(extensions) > 0 {
		return nil, nil, fmt.Errorf("the head has extension lines: %q", extensions)
	}
	if !bytes.Equal(head.Marshal(), []byte(signed.Text)) {
		return nil, nil, fmt.Errorf("the head is not written in the usual form: %q", signed.Text)
	}
	if len(head.Hash) != sha256.Size {
		return nil, nil, fmt.Errorf("the root has %d bytes", len(head.Hash))
	}
	return head, signed, nil
}

func readHead(vkey, file string) (*log.Checkpoint, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	head, _, err := parseHead(vkey, data)
	return head, err
}

func cosignature(vkey, witnessKey, file string) (string, error) {
	verifier, err := witness.NewVerifierForCosignatureV1(witnessKey)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, signed, err := parseHead(vkey, data, verifier)
	if err != nil {
		return "", err
	}
	for _, signature := range signed.Sigs {
		if signature.Name == verifier.Name() && signature.Hash == verifier.KeyHash() {
			time, err := witness.CoSigV1Timestamp(signature)
			return fmt.Sprint(time.Unix()), err
		}
	}
	return "", fmt.Errorf("%s did not sign the head", verifier.Name())
}

func inclusion(vkey, envelopeFile, proofFile string) (string, error) {
	envelope, err := os.ReadFile(envelopeFile)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(proofFile)
	if err != nil {
		return "", err
	}
	var given tlogproof.TLogProof
	if err := given.Unmarshal(data); err != nil {
		return "", err
	}
	head, _, err := parseHead(vkey, given.Checkpoint)
	if err != nil {
		return "", err
	}
	leaf := sha256.Sum256(envelope)
	hashes, path := make(tlog.RecordProof, 0), make([][]byte, 0)
	for _, hash := range given.Hashes {
		hashes, path = append(hashes, hash), append(path, hash[:])
	}
	hasher := rfc6962.DefaultHasher
	if err := proof.VerifyInclusion(hasher, given.Index, head.Size, hasher.HashLeaf(leaf[:]), path, head.Hash); err != nil {
		return "", err
	}
	root := tlog.Hash(head.Hash)
	if err := tlog.CheckRecord(hashes, int64(head.Size), root, int64(given.Index), tlog.RecordHash(leaf[:])); err != nil {
		return "", err
	}
	return fmt.Sprintf("entry %d of %d", given.Index, head.Size), nil
}

func consistency(vkey, oldFile, newFile, proofFile string) (string, error) {
	before, err := readHead(vkey, oldFile)
	if err != nil {
		return "", err
	}
	after, err := readHead(vkey, newFile)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(proofFile)
	if err != nil {
		return "", err
	}
	if err := grown(before, after, strings.Fields(string(data))); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d grew to %d", before.Size, after.Size), nil
}

func grown(before, after *log.Checkpoint, lines []string) error {
	hashes, path := make(tlog.TreeProof, 0), make([][]byte, 0)
	for _, line := range lines {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		if len(hash) != sha256.Size {
			return fmt.Errorf("a hash has %d bytes", len(hash))
		}
		hashes, path = append(hashes, tlog.Hash(hash)), append(path, hash)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, before.Size, after.Size, path, before.Hash, after.Hash); err != nil {
		return err
	}
	// tlog has no proof for the empty log, which every log begins with.
	if before.Size > 0 {
		return tlog.CheckTree(hashes, int64(after.Size), tlog.Hash(after.Hash), int64(before.Size), tlog.Hash(before.Hash))
	}
	if !bytes.Equal(before.Hash, rfc6962.DefaultHasher.EmptyRoot()) {
		return fmt.Errorf("the empty log does not have this root: %x", before.Hash)
	}
	return nil
}

// cosigned answers a request as https://c2sp.org/tlog-witness describes it, with the line that the witness signs.
func cosigned(skey, vkey, oldFile, requestFile string) (string, error) {
	signer, err := witness.NewSignerForCosignatureV1(skey)
	if err != nil {
		return "", err
	}
	before, err := readHead(vkey, oldFile)
	if err != nil {
		return "", err
	}
	request, err := os.ReadFile(requestFile)
	if err != nil {
		return "", err
	}
	above, head, found := strings.Cut(string(request), "\n\n")
	lines := strings.Split(above, "\n")
	if !found || lines[0] != fmt.Sprintf("old %d", before.Size) {
		return "", fmt.Errorf("the request does not begin at the head that was seen: %q", lines[0])
	}
	after, signed, err := parseHead(vkey, []byte(head))
	if err != nil {
		return "", err
	}
	if err := grown(before, after, lines[1:]); err != nil {
		return "", err
	}
	answer, err := note.Sign(&note.Note{Text: signed.Text}, signer)
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(string(answer), signed.Text+"\n"), nil
}
