package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/apache/thrift/lib/go/thrift"
	"interop/gen/conformance"
	"interop/gen/conformance_uuid"
)

var ctx = context.Background()

// run does what one row of idl/vectors/conformance.tsv asks for.
func (c *caller) run(kind, name, value, text string) error {
	switch kind {
	case "bool":
		return echo(value == "true", c.service.EchoBool)
	case "i8":
		return echo(int8(integer(value)), c.service.EchoI8)
	case "i16":
		return echo(int16(integer(value)), c.service.EchoI16)
	case "i32":
		return echo(int32(integer(value)), c.service.EchoI32)
	case "i64":
		return echo(integer(value), c.service.EchoI64)
	case "double":
		return c.double(value)
	case "string":
		return both(string(unhex(value)), text, describeText, c.service.DescribeText, c.service.EchoString)
	case "binary":
		length, _ := strconv.Atoi(value)
		return both(pattern(length), text, describeBytes, c.service.DescribeBinary, c.service.EchoBinary)
	case "choice":
		choice, err := decode(conformance.NewChoice(), unhex(value))
		return either(err, func() error { return both(choice, text, describeChoice, nil, c.service.EchoChoice) })
	case "everything":
		return c.everything(name, value, text)
	case "arguments":
		answer, err := c.service.DescribeScalars(ctx, true, -5, -300, 70000, -1<<40, 1.5, conformance.Colour_VIOLET)
		return expect("describe", answer, text, err)
	case "defaults":
		answer, err := c.service.DescribeDefaults(ctx, conformance.NewDefaults())
		return expect("describe", answer, text, err)
	case "newer":
		full, err := c.service.Compose(ctx, "full")
		return either(err, func() error {
			answer, err := c.other.DescribeNarrow(ctx, full)
			return expect("describe", answer, text, err)
		})
	case "older":
		narrow, err := c.other.Compose(ctx, "full")
		return either(err, func() error { return expect("compose", describeNarrow(narrow), text, nil) })
	case "risk":
		return c.risk(name, text, c.service.Risk)
	case "risk_void":
		return c.risk(name, text, func(ctx context.Context, outcome conformance.Outcome) (string, error) {
			return "-", c.service.RiskVoid(ctx, outcome)
		})
	case "call":
		return c.call(name)
	case "struct_keys":
		value := map[*conformance.Point]string{{X: 1, Y: 2}: "one", {X: -1, Y: math.MaxInt32}: "two"}
		return both(value, text, table(describePoint, describeText), c.service.DescribeStructKeys, c.service.EchoStructKeys)
	case "lists_in_set":
		value := [][]int32{{}, {1, 2}, {-3}}
		return both(value, text, set(list(describeInt[int32])), c.service.DescribeListsInSet, c.service.EchoListsInSet)
	case "uuid":
		return echo(thrift.Must(thrift.ParseTuuid(value)), c.service.EchoUuid)
	case "identified":
		identified, err := decode(conformance_uuid.NewIdentified(), unhex(value))
		return either(err, func() error {
			return both(identified, text, describeIdentified, c.service.DescribeIdentified, c.service.EchoIdentified)
		})
	}
	return errors.New("an unknown kind of case")
}

type method[A, R any] func(context.Context, A) (R, error)

func echo[T comparable](value T, method method[T, T]) error {
	answer, err := method(ctx, value)
	return expect("echo", answer, value, err)
}

// both has the server describe and echo a value that is described here, too.
func both[T any](value T, text string, of func(T) string, describe method[T, string], echo method[T, T]) error {
	if err := expect("own decoding", of(value), text, nil); err != nil {
		return err
	}
	if describe != nil {
		answer, err := describe(ctx, value)
		if err := expect("describe", answer, text, err); err != nil {
			return err
		}
	}
	answer, err := echo(ctx, value)
	return either(err, func() error { return expect("echo", of(answer), text, nil) })
}

func (c *caller) double(bits string) error {
	number, err := strconv.ParseUint(bits, 16, 64)
	if err != nil {
		return err
	}
	value := math.Float64frombits(number)
	answer, err := c.service.EchoDouble(ctx, value)
	return expect("echo", describeDouble(answer), describeDouble(value), err)
}

func (c *caller) everything(name, digits, text string) error {
	value, err := decode(conformance.NewEverything(), unhex(digits))
	if err != nil {
		return err
	}
	if err := both(value, text, describeEverything, c.service.DescribeEverything, c.service.EchoEverything); err != nil {
		return err
	}
	composed, err := c.service.Compose(ctx, name)
	return either(err, func() error { return expect("compose", describeEverything(composed), text, nil) })
}

func (c *caller) risk(name, text string, method method[conformance.Outcome, string]) error {
	outcomes := map[string]conformance.Outcome{
		"value":      conformance.Outcome_VALUE,
		"not_found":  conformance.Outcome_NOT_FOUND,
		"conflict":   conformance.Outcome_CONFLICT,
		"nothing":    conformance.Outcome_NOTHING,
		"undeclared": conformance.Outcome_UNDECLARED,
	}
	came, err := method(ctx, outcomes[name])
	var lost *conformance.NotFound
	var conflict *conformance.Conflict
	var nothing *conformance.Nothing
	var refused thrift.TApplicationException
	switch {
	case err == nil:
	case errors.As(err, &lost):
		came = fmt.Sprintf(`NotFound "%s"`, lost.Name)
	case errors.As(err, &conflict):
		came = fmt.Sprintf("Conflict %d with %s at %s", conflict.Code, conflict.Reason, describePoint(conflict.Where))
	case errors.As(err, &nothing):
		came = "Nothing"
	case errors.As(err, &refused):
		came = fmt.Sprintf("TApplicationException %d", refused.TypeId())
	default:
		return err
	}
	return expect("outcome", came, text, c.service.Ping(ctx))
}

func (c *caller) call(name string) error {
	switch name {
	case "ping":
		return c.service.Ping(ctx)
	case "oneway":
		return c.oneway()
	case "unknown_method":
		return c.unknownMethod()
	case "sequence_ids":
		return c.sequenceIDs()
	}
	return errors.New("an unknown case")
}

func (c *caller) oneway() error {
	owner := rand.Text()
	for count := 1; count <= 3; count++ {
		if err := c.service.Note(ctx, fmt.Sprintf("%s: note %d · нота", owner, count)); err != nil {
			return err
		}
		notes, err := c.service.Notes(ctx, owner)
		if err := expect("notes", notes, fmt.Sprintf("%d note %d · нота", count, count), err); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) unknownMethod() error {
	for i := 0; i < 3; i++ {
		answer, err := c.other.Missing(ctx, 1)
		var refused thrift.TApplicationException
		if !errors.As(err, &refused) || refused.TypeId() != thrift.UNKNOWN_METHOD {
			return fmt.Errorf("%v, %v", answer, err)
		}
		if err := c.service.Ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

func either(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func expect[T comparable](what string, got, wanted T, err error) error {
	if err == nil && got != wanted {
		return fmt.Errorf("%s: %v, not %v", what, got, wanted)
	}
	return err
}

func integer(text string) int64 {
	value, _ := strconv.ParseInt(text, 10, 64)
	return value
}

func unhex(digits string) []byte {
	content, _ := hex.DecodeString(digits)
	return content
}

func pattern(length int) []byte {
	content := make([]byte, length)
	for i := range content {
		content[i] = byte(31*i + length)
	}
	return content
}
