// Measures as the controller of Argo Rollouts does: an AnalysisTemplate in, the phase of each of its metrics out.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/argoproj/argo-rollouts/metricproviders/webmetric"
	"github.com/argoproj/argo-rollouts/pkg/apis/rollouts/v1alpha1"
	"github.com/sirupsen/logrus"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println("argo-rollouts")
		return
	}
	if err := run(os.Stdin, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Each argument is name=value, of those that the template has.
func run(from io.Reader, arguments []string) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	filled := string(text)
	for _, argument := range arguments {
		name, value, _ := strings.Cut(argument, "=")
		filled = strings.ReplaceAll(filled, "{{args."+name+"}}", value)
	}
	converted, err := yaml.YAMLToJSONStrict([]byte(filled))
	if err != nil {
		return err
	}
	var template v1alpha1.AnalysisTemplate
	// As the API server reads: a field counts in its own case only, and one that nobody knows is an error.
	unknown, err := json.UnmarshalStrict(converted, &template)
	if err := errors.Join(append(unknown, err)...); err != nil {
		return err
	}
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	for _, metric := range template.Spec.Metrics {
		client, err := webmetric.NewWebMetricHttpClient(metric)
		if err != nil {
			return err
		}
		parser, err := webmetric.NewWebMetricJsonParser(metric)
		if err != nil {
			return err
		}
		provider := webmetric.NewWebMetricProvider(*logrus.NewEntry(logger), client, parser)
		measured := provider.Run(&v1alpha1.AnalysisRun{}, metric)
		fmt.Println(metric.Name, measured.Phase, measured.Value+measured.Message)
	}
	return nil
}
