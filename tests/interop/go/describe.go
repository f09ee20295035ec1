package main

import (
	"encoding/hex"
	"fmt"
	"hash/adler32"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/apache/thrift/lib/go/thrift"
	"interop/gen/conformance"
	"interop/gen/conformance_uuid"
)

// A value in words, the same in every language; examples/conformance/describe.rs has the grammar.

const mostInFull = 32

func describeBool(value bool) string { return strconv.FormatBool(value) }

func describeInt[T ~int8 | ~int16 | ~int32 | ~int64](value T) string {
	return strconv.FormatInt(int64(value), 10)
}

func describeDouble(value float64) string {
	if math.IsNaN(value) {
		return "nan"
	}
	return fmt.Sprintf("%016x", math.Float64bits(value))
}

func describeText(value string) string { return describeBytes([]byte(value)) }

func describeBytes(value []byte) string {
	if len(value) > mostInFull {
		return fmt.Sprintf(`"%d#%08x"`, len(value), adler32.Checksum(value))
	}
	return `"` + hex.EncodeToString(value) + `"`
}

func describeUuid(value thrift.Tuuid) string { return value.String() }

func words[T any](items []T, of func(T) string) []string {
	words := make([]string, 0, len(items))
	for _, item := range items {
		words = append(words, of(item))
	}
	return words
}

func list[T any](of func(T) string) func([]T) string {
	return func(items []T) string { return "[" + strings.Join(words(items, of), ",") + "]" }
}

func set[T any](of func(T) string) func([]T) string {
	return func(items []T) string { return sorted(words(items, of)) }
}

func table[K comparable, V any](ofKey func(K) string, ofValue func(V) string) func(map[K]V) string {
	return func(items map[K]V) string {
		words := make([]string, 0, len(items))
		for key, value := range items {
			words = append(words, ofKey(key)+"="+ofValue(value))
		}
		return sorted(words)
	}
}

func sorted(words []string) string {
	sort.Strings(words)
	return "{" + strings.Join(words, ",") + "}"
}

// fields are a struct's: what is absent is left out.
type fields []string

func add[T any](f *fields, isSet bool, id int, of func(T) string, value func() T) {
	if isSet {
		*f = append(*f, strconv.Itoa(id)+":"+of(value()))
	}
}

func (f fields) String() string { return "(" + strings.Join(f, ",") + ")" }

func describePoint(value *conformance.Point) string {
	return fmt.Sprintf("(1:%d,2:%d)", value.X, value.Y)
}

func describeScalars(v *conformance.Scalars) string {
	var f fields
	add(&f, true, 1, describeBool, v.GetFlag)
	add(&f, true, 2, describeInt[int8], v.GetTiny)
	add(&f, true, 3, describeInt[int16], v.GetSmall)
	add(&f, true, 4, describeInt[int32], v.GetMedium)
	add(&f, true, 5, describeInt[int64], v.GetLarge)
	add(&f, true, 6, describeDouble, v.GetReal)
	add(&f, true, 7, describeText, v.GetText)
	add(&f, true, 8, describeBytes, v.GetBlob)
	add(&f, true, 9, describeInt[conformance.Colour], v.GetColour)
	return f.String()
}

func describeOptionals(v *conformance.Optionals) string {
	var f fields
	add(&f, v.IsSetFlag(), 1, describeBool, v.GetFlag)
	add(&f, v.IsSetTiny(), 2, describeInt[int8], v.GetTiny)
	add(&f, v.IsSetSmall(), 3, describeInt[int16], v.GetSmall)
	add(&f, v.IsSetMedium(), 4, describeInt[int32], v.GetMedium)
	add(&f, v.IsSetLarge(), 5, describeInt[int64], v.GetLarge)
	add(&f, v.IsSetReal(), 6, describeDouble, v.GetReal)
	add(&f, v.IsSetText(), 7, describeText, v.GetText)
	add(&f, v.IsSetBlob(), 8, describeBytes, v.GetBlob)
	add(&f, v.IsSetColour(), 9, describeInt[conformance.Colour], v.GetColour)
	add(&f, v.IsSetPoint(), 10, describePoint, v.GetPoint)
	add(&f, v.IsSetNumbers(), 11, list(describeInt[int32]), v.GetNumbers)
	return f.String()
}

func describeDefaults(v *conformance.Defaults) string {
	var f fields
	add(&f, true, 1, describeInt[int32], v.GetNumber)
	add(&f, true, 2, describeText, v.GetText)
	add(&f, true, 3, describeInt[conformance.Colour], v.GetColour)
	add(&f, true, 4, list(describeInt[int32]), v.GetNumbers)
	add(&f, true, 5, describeBool, v.GetFlag)
	add(&f, true, 6, describeDouble, v.GetReal)
	add(&f, true, 7, table(describeText, describeInt[int32]), v.GetTable)
	return f.String()
}

func describeContainers(v *conformance.Containers) string {
	var f fields
	add(&f, true, 1, list(describeBool), v.GetFlags)
	add(&f, true, 2, set(describeInt[int32]), v.GetNumbers)
	add(&f, true, 3, table(describeText, describeInt[int64]), v.GetTable)
	add(&f, true, 4, list(list(describeInt[int32])), v.GetMatrix)
	add(&f, true, 5, table(describeText, list(set(describeInt[int16]))), v.GetNested)
	add(&f, true, 6, list(table(describeInt[int32], describeText)), v.GetTables)
	add(&f, true, 7, table(describeInt[int64], table(describeText, describeDouble)), v.GetMaps)
	add(&f, true, 8, list(describePoint), v.GetPoints)
	add(&f, true, 9, list(describeBytes), v.GetBlobs)
	add(&f, true, 10, table(describeText, describeInt[conformance.Colour]), v.GetColours)
	add(&f, true, 11, set(describeText), v.GetWords)
	return f.String()
}

func describeTree(v *conformance.Tree) string {
	return "(1:" + describeInt(v.Value) + ",2:" + list(describeTree)(v.Children) + ")"
}

func describeChoice(v *conformance.Choice) string {
	var f fields
	add(&f, v.IsSetFlag(), 1, describeBool, v.GetFlag)
	add(&f, v.IsSetLarge(), 2, describeInt[int64], v.GetLarge)
	add(&f, v.IsSetText(), 3, describeText, v.GetText)
	add(&f, v.IsSetNumbers(), 4, list(describeInt[int32]), v.GetNumbers)
	add(&f, v.IsSetPoint(), 5, describePoint, v.GetPoint)
	return f.String()
}

func describeChosen(v *conformance.Chosen) string { return "(1:" + describeChoice(v.Choice) + ")" }

func describeEverything(v *conformance.Everything) string {
	var f fields
	add(&f, v.IsSetScalars(), 1, describeScalars, v.GetScalars)
	add(&f, v.IsSetContainers(), 2, describeContainers, v.GetContainers)
	add(&f, v.IsSetTree(), 3, describeTree, v.GetTree)
	add(&f, v.IsSetChoices(), 4, list(describeChosen), v.GetChoices)
	add(&f, v.IsSetExtras(), 20, describeOptionals, v.GetExtras)
	add(&f, v.IsSetFar(), 300, describeText, v.GetFar)
	add(&f, v.IsSetFarthest(), 1000, describeBool, v.GetFarthest)
	return f.String()
}

func describeNarrow(v *conformance.Narrow) string {
	var f fields
	add(&f, v.IsSetFarthest(), 1000, describeBool, v.GetFarthest)
	return f.String()
}

func describeIdentified(v *conformance_uuid.Identified) string {
	var f fields
	add(&f, true, 1, describeUuid, v.GetID)
	add(&f, true, 2, list(describeUuid), v.GetOthers)
	add(&f, true, 3, table(describeUuid, describeText), v.GetNames)
	add(&f, v.IsSetPoint(), 4, describePoint, v.GetPoint)
	return f.String()
}
