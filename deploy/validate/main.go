// Validates a compose file with Compose's own loader, on a machine without Docker:
//
//	cd deploy/validate && go run . ../../docker-compose.yml
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(path string, env ...string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{path}, cli.WithEnv(env), cli.WithWorkingDirectory(filepath.Dir(path)))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}

func main() {
	if len(os.Args) != 2 {
		fail("usage: go run . <compose file>")
	}
	path := os.Args[1]

	project, err := load(path, "API_KEYS=me:"+strings.Repeat("k", 32))
	if err != nil {
		fail("does not load: %v", err)
	}
	for _, name := range project.ServiceNames() {
		service := project.Services[name]
		fmt.Printf("%-12s %-32s replicas %d", name, service.Image, service.GetScale())
		if service.StopGracePeriod != nil {
			fmt.Printf(", grace %s", service.StopGracePeriod)
		}
		for _, port := range service.Ports {
			fmt.Printf(", %s:%s → %d", port.HostIP, port.Published, port.Target)
		}
		fmt.Println()
	}

	if _, err = load(path); err == nil {
		fail("loads without API_KEYS")
	} else if !strings.Contains(err.Error(), "API_KEYS") {
		fail("without API_KEYS the message does not name it: %v", err)
	}
	fmt.Printf("without API_KEYS: %v\n", err)

	long, err := load(path, "API_KEYS=me:"+strings.Repeat("k", 32), "SHUTDOWN_GRACE=120.5")
	if err != nil {
		fail("does not load with SHUTDOWN_GRACE=120.5: %v", err)
	}
	fmt.Printf("with SHUTDOWN_GRACE=120.5: grace %s\n", long.Services["worker"].StopGracePeriod)
}
