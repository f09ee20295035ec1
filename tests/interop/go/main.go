// Goes through the rows of idl/vectors/conformance.tsv with Apache's Go library, unmodified, and prints what came of each.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

const longestReason = 300

func main() {
	server := flag.String("server", "", "HOST:PORT")
	encoding := flag.String("encoding", "", "framed-binary, unframed-compact, …")
	vectors := flag.String("vectors", "", "idl/vectors/conformance.tsv")
	authority := flag.String("tls-ca", "", "the authority that signed the server's certificate")
	flag.Parse()

	caller, err := connect(*server, *encoding, *authority)
	if errors.As(err, &unsupported{}) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	must(err)
	file, err := os.Open(*vectors)
	must(err)
	rows := bufio.NewScanner(file)
	rows.Buffer(nil, 1<<24)
	for rows.Scan() {
		if strings.HasPrefix(rows.Text(), "#") {
			continue
		}
		row := strings.Split(rows.Text(), "\t")
		err := caller.run(row[0], row[1], row[2], row[3])
		if err == nil {
			fmt.Printf("%s/%s\tpass\n", row[0], row[1])
			continue
		}
		reason := strings.Join(strings.Fields(err.Error()), " ")
		fmt.Printf("%s/%s\tFAIL\t%s\n", row[0], row[1], reason[:min(len(reason), longestReason)])
		caller.transport.Close()
		caller, err = connect(*server, *encoding, *authority)
		must(err)
	}
	must(rows.Err())
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
