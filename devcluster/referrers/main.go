// Command referrers is an OCI registry that lists referrers itself, where the reference implementation
// leaves that to a tag. It keeps everything in memory.
//
// All of the protocol is olareg's, whose own command cannot be told how long a page of that list may be.
package main

import (
	"context"
	"flag"
	"log/slog"
	"os"

	"github.com/olareg/olareg"
	"github.com/olareg/olareg/config"
)

func main() {
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	page := flag.Int64("page", 0, "most bytes of a page of referrers; 0 leaves it to olareg")
	listed := flag.Bool("listed", true, "list referrers; without it the list answers 404")
	flag.Parse()

	// The level below debug is that of requests.
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: olareg.LogTrace}))
	server := olareg.New(config.Config{
		HTTP:    config.ConfigHTTP{Addr: *address},
		Storage: config.ConfigStorage{StoreType: config.StoreMem},
		API:     config.ConfigAPI{Referrer: config.ConfigAPIReferrer{Enabled: listed, Limit: *page}},
		Log:     log,
	})
	if err := server.Run(context.Background()); err != nil {
		log.Error("failed to serve", "error", err)
		os.Exit(1)
	}
}
