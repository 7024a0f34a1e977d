// Reads objects of cert-manager as strictly as its own API does: a field that it does not know is an error.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println("cert-manager")
		return
	}
	if err := run(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(from io.Reader) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	for _, document := range bytes.Split(text, []byte("\n---\n")) {
		var named struct {
			Kind string `json:"kind"`
		}
		if err := yaml.Unmarshal(document, &named); err != nil {
			return err
		}
		var into any
		switch named.Kind {
		case "Certificate":
			into = &certmanager.Certificate{}
		case "Issuer":
			into = &certmanager.Issuer{}
		default:
			return fmt.Errorf("cert-manager has no %s", named.Kind)
		}
		converted, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return err
		}
		// As the API server reads: a field counts in its own case only.
		unknown, err := json.UnmarshalStrict(converted, into)
		if err := errors.Join(append(unknown, err)...); err != nil {
			return fmt.Errorf("%s: %w", named.Kind, err)
		}
		fmt.Println(named.Kind)
	}
	return nil
}
