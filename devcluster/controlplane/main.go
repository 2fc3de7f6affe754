// Command kompox-controlplane is the development cluster's Kubernetes as one binary: the control
// plane, the parts of a node, and kubectl.
//
// Its first argument names the component, the rest are that component's own flags. Every component
// runs as a process of its own: their global flags and feature gates clash inside one process.
// Nothing here changes a component; what makes the set a development cluster is in the flags that
// the launcher passes.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // client-go metrics
	_ "k8s.io/component-base/metrics/prometheus/version"  // kubernetes_build_info
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// exitOnEOF names the variable that, when set to 1, ties the process to whoever holds the other end
// of its standard input: the kernel closes that end however the launcher dies, SIGKILL included.
const exitOnEOF = "KOMPOX_EXIT_ON_STDIN_EOF"

// A component takes the arguments after its name and returns the process's exit code.
type component func(args []string) int

func components() map[string]component {
	return map[string]component{
		"etcd":                    runEtcd,
		"kube-apiserver":          cobraComponent(apiserver.NewAPIServerCommand),
		"kube-controller-manager": cobraComponent(controllermanager.NewControllerManagerCommand),
		"kube-scheduler": cobraComponent(func() *cobra.Command {
			return scheduler.NewSchedulerCommand()
		}),
		"kubelet": cobraComponent(func() *cobra.Command {
			return kubelet.NewKubeletCommand(context.Background())
		}),
		"kube-proxy": cobraComponent(kubeproxy.NewProxyCommand),
		"kubectl":    runKubectl,
	}
}

func main() {
	known := components()
	if len(os.Args) < 2 {
		usage(known)
	}
	run, ok := known[os.Args[1]]
	if !ok {
		usage(known)
	}
	if os.Getenv(exitOnEOF) == "1" {
		go exitWithLauncher()
	}
	os.Exit(run(os.Args[2:]))
}

// exitWithLauncher does not shut down gracefully: nobody is left who could wait for it, and a
// launcher that wants a graceful stop sends SIGTERM before it closes the pipe.
func exitWithLauncher() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	fmt.Fprintln(os.Stderr, "kompox-controlplane: the launcher is gone, exiting")
	os.Exit(1)
}

func runEtcd(args []string) int {
	etcdmain.Main(append([]string{"etcd"}, args...))
	return 0
}

// runKubectl rewrites the arguments because kubectl's command reads the process's own, not those
// that it is given, to tell its plugins.
func runKubectl(args []string) int {
	os.Args = append([]string{"kubectl"}, args...)
	return cli.Run(kubectl.NewDefaultKubectlCommand())
}

func cobraComponent(newCommand func() *cobra.Command) component {
	return func(args []string) int {
		command := newCommand()
		command.SetArgs(args)
		return cli.Run(command)
	}
}

func usage(known map[string]component) {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "usage: kompox-controlplane {%s} [flags]\n", strings.Join(names, "|"))
	os.Exit(2)
}
