package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	"interop/gen/conformance"
	"interop/gen/conformance_uuid"
)

const timeout = 10 * time.Second

// caller is one connection through Apache's Go library, and the generated clients on it.
type caller struct {
	transport thrift.TTransport
	protocol  thrift.TProtocol
	service   *conformance_uuid.ConformanceUuidClient
	other     *conformance.ConformanceOtherClient
}

func connect(server, encoding, authority string) (*caller, error) {
	config := &thrift.TConfiguration{ConnectTimeout: timeout, SocketTimeout: timeout}
	var socket thrift.TTransport = thrift.NewTSocketConf(server, config)
	if authority != "" {
		pem, err := os.ReadFile(authority)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		config.TLSConfig = &tls.Config{RootCAs: roots}
		socket = thrift.NewTSSLSocketConf(server, config)
	}
	transport, protocol, err := layers(socket, strings.Split(encoding, "-"), config)
	if err != nil {
		return nil, err
	}
	client := thrift.NewTStandardClient(protocol, protocol)
	if strings.HasSuffix(encoding, "-multiplexed") {
		client = thrift.NewTStandardClient(protocol, thrift.NewTMultiplexedProtocol(protocol, "Conformance"))
	}
	c := &caller{transport, protocol, conformance_uuid.NewConformanceUuidClient(client), conformance.NewConformanceOtherClient(client)}
	return c, c.transport.Open()
}

type unsupported struct{ encoding string }

func (u unsupported) Error() string { return "Apache's Go library does not speak " + u.encoding }

func layers(socket thrift.TTransport, words []string, config *thrift.TConfiguration) (thrift.TTransport, thrift.TProtocol, error) {
	no := unsupported{strings.Join(words, "-")}
	transport := socket
	switch words[0] {
	case "framed":
		transport = thrift.NewTFramedTransportConf(socket, config)
	case "unframed":
		transport = thrift.NewTBufferedTransport(socket, 4096)
	case "theader":
		return headers(socket, words[1:], config, no)
	default:
		return nil, nil, no
	}
	switch words[1] {
	case "binary":
		return transport, thrift.NewTBinaryProtocolConf(transport, config), nil
	case "nonstrict":
		lenient := false
		config.TBinaryStrictRead, config.TBinaryStrictWrite = &lenient, &lenient
		return transport, thrift.NewTBinaryProtocolConf(transport, config), nil
	case "compact":
		return transport, thrift.NewTCompactProtocolConf(transport, config), nil
	}
	return nil, nil, no
}

func headers(socket thrift.TTransport, words []string, config *thrift.TConfiguration, no error) (thrift.TTransport, thrift.TProtocol, error) {
	id := thrift.THeaderProtocolBinary
	if words[0] == "compact" {
		id = thrift.THeaderProtocolCompact
	}
	config.THeaderProtocolID = &id
	protocol := thrift.NewTHeaderProtocolConf(socket, config)
	if len(words) > 1 {
		if words[1] != "zlib" {
			return nil, nil, no
		}
		if err := protocol.Transport().(*thrift.THeaderTransport).AddTransform(thrift.TransformZlib); err != nil {
			return nil, nil, err
		}
	}
	return protocol.Transport(), protocol, nil
}

func decode[T thrift.TStruct](value T, content []byte) (T, error) {
	memory := thrift.NewTMemoryBufferLen(len(content))
	memory.Write(content)
	return value, value.Read(ctx, thrift.NewTBinaryProtocolConf(memory, nil))
}

// sequenceIDs checks some that the library, which checks its own, would not come to.
func (c *caller) sequenceIDs() error {
	for _, id := range []int32{0, 1, 77, 1<<31 - 1, -1, -1 << 31} {
		args, result := conformance.NewConformanceBasePingArgs(), conformance.NewConformanceBasePingResult()
		for _, step := range []error{
			c.protocol.WriteMessageBegin(ctx, "Ping", thrift.CALL, id),
			args.Write(ctx, c.protocol),
			c.protocol.WriteMessageEnd(ctx),
			c.protocol.Flush(ctx),
		} {
			if step != nil {
				return step
			}
		}
		name, kind, got, err := c.protocol.ReadMessageBegin(ctx)
		if err != nil {
			return err
		}
		if err := result.Read(ctx, c.protocol); err != nil {
			return err
		}
		if err := c.protocol.ReadMessageEnd(ctx); err != nil {
			return err
		}
		if name != "Ping" || kind != thrift.REPLY || got != id {
			return fmt.Errorf("a reply %s %d %d to %d", name, kind, got, id)
		}
	}
	return nil
}
