// Reads webhooks as Flagger's API does, and does what they say as its load tester does.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	flagger "github.com/fluxcd/flagger/pkg/apis/flagger/v1beta1"
	"github.com/fluxcd/flagger/pkg/loadtester"
	"go.uber.org/zap"
	strict "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "version":
		fmt.Println("flagger")
	case len(os.Args) == 3 && os.Args[1] == "serve":
		serve(os.Args[2])
	default:
		if err := read(os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Prints the webhooks that stand in the analysis of a Canary, a line each.
func read(from io.Reader) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	converted, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return err
	}
	var analysis flagger.CanaryAnalysis
	unknown, err := strict.UnmarshalStrict(converted, &analysis)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return err
	}
	for _, webhook := range analysis.Webhooks {
		said, err := json.Marshal(webhook)
		if err != nil {
			return err
		}
		fmt.Println(string(said))
	}
	return nil
}

func serve(port string) {
	logger := zap.NewNop().Sugar()
	runner := loadtester.NewTaskRunner(logger, time.Minute)
	gates := loadtester.NewGateStorage("in-memory")
	loadtester.ListenAndServe(port, time.Minute, logger, runner, gates, loadtester.NewAuthorizer(nil), make(chan struct{}))
}
