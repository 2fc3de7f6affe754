// Command pause is the first process of a PID namespace: of every pod's, and of a node's own.
//
// It does nothing but wait, and reap the processes that are orphaned to it. The kernel kills every
// process of a PID namespace when its first one ends: that is what makes it the handle on all of them.
package main

import (
	"io"
	"os"
	"os/signal"
	"syscall"
)

// exitOnEOF names the variable that, when set to 1, ties the process to whoever holds the other end
// of its standard input: the kernel closes that end however the holder dies, SIGKILL included.
const exitOnEOF = "KOMPOX_EXIT_ON_STDIN_EOF"

func main() {
	go reap()
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	if os.Getenv(exitOnEOF) == "1" {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			ends <- syscall.SIGTERM
		}()
	}
	<-ends
}

// reap takes the exit status of every orphan; nobody else would, and each would stay a zombie.
func reap() {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		// One signal may stand for several children.
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err == syscall.EINTR {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
		}
		<-children
	}
}
