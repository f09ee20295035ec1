// Writes ../ttheader.tsv: frames of TTHeader, written by CloudWeGo's own library, the one that Kitex uses.
//
// Run it here as "go run . > ../ttheader.tsv". The library keeps headers in maps, so a second run may give them in
// another order; what the readers of the file compare does not depend on it.
//
// Its columns: see ../generate.py. The messages are golden ones, out of ../messages.tsv.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/cloudwego/gopkg/protocol/ttheader"
)

type frame struct {
	name    string
	message string // its name in messages.tsv
	framed  bool   // "TTHeaderFramed": the message has a frame of its own inside
	param   ttheader.EncodeParam
}

func main() {
	long := strings.Repeat("x", 300)
	call := map[uint16]string{
		ttheader.TransportType:  "framed",
		ttheader.LogID:          "20260101T000000",
		ttheader.FromService:    "example.caller",
		ttheader.FromMethod:     "Root",
		ttheader.ToService:      "calculate",
		ttheader.ToMethod:       "Square",
		ttheader.RPCTimeout:     "1000",
		ttheader.ConnectTimeout: "50",
		ttheader.MsgType:        "1",
	}
	names := map[string]string{
		ttheader.HeaderIDLServiceName:  "Calculate",
		ttheader.HeaderTransRemoteAddr: "127.0.0.1:40000",
		"RPC_PERSIST_tenant":           "кот",
		"RPC_TRANSIT_request":          "",
		"":                             "a name of no bytes",
		"bytes\x00\xff":                "\x00\x01\xfe\xff",
	}
	rows := []frame{
		{"bare", "binary_call_square_nine", false, ttheader.EncodeParam{SeqID: 1}},
		{"bare_framed", "binary_call_square_nine", true, ttheader.EncodeParam{SeqID: 1}},
		{"largest_seqid", "binary_call_seqid_2147483647", false, ttheader.EncodeParam{SeqID: 2147483647}},
		{"negative_seqid", "binary_call_seqid_minus_1", false, ttheader.EncodeParam{SeqID: -1}},
		{"flags", "binary_call_square_two", false, ttheader.EncodeParam{SeqID: 1, Flags: ttheader.HeaderFlagSupportOutOfOrder}},
		{"ints", "binary_call_square_nine", false, ttheader.EncodeParam{SeqID: 1, IntInfo: call}},
		{"ints_framed", "binary_call_square_nine", true, ttheader.EncodeParam{SeqID: 1, IntInfo: call}},
		{"names", "binary_call_cal_nine", false, ttheader.EncodeParam{SeqID: 1, StrInfo: names}},
		{"both", "binary_call_cal_nine", true, ttheader.EncodeParam{SeqID: 1, IntInfo: call, StrInfo: names}},
		{"acl", "binary_call_cal_nine", false, ttheader.EncodeParam{SeqID: 1, StrInfo: map[string]string{ttheader.GDPRToken: "token"}}},
		{"long", "binary_call_cal_nine", false, ttheader.EncodeParam{SeqID: 1, StrInfo: map[string]string{"long": long}}},
		{"compact", "compact_call_square_nine", false, ttheader.EncodeParam{SeqID: 1, ProtocolID: ttheader.ProtocolIDThriftCompact}},
		{"compact_called_binary", "compact_call_square_nine", false, ttheader.EncodeParam{SeqID: 1}},
		{"reply", "binary_reply_square_nine", true, ttheader.EncodeParam{SeqID: 1, IntInfo: map[uint16]string{ttheader.MsgType: "2"}}},
		{"reply_reset", "binary_reply_square_nine", false, ttheader.EncodeParam{SeqID: 1,
			IntInfo: map[uint16]string{ttheader.MsgType: "2"},
			StrInfo: map[string]string{ttheader.HeaderConnectionReadyToReset: "1"}}},
		{"exception", "binary_exception_ascii", false, ttheader.EncodeParam{SeqID: 3, IntInfo: map[uint16]string{ttheader.MsgType: "3"}}},
	}
	for padding := 1; padding <= 4; padding++ {
		info := map[string]string{"padding": strings.Repeat("p", padding)}
		rows = append(rows, frame{fmt.Sprintf("padding_%d", padding), "binary_call_square_nine", false,
			ttheader.EncodeParam{SeqID: 1, StrInfo: info}})
	}
	messages := read("../messages.tsv")
	fmt.Println(strings.Join([]string{"# name", "transport", "protocol", "transforms", "inner", "headers", "seqid", "message", "frame"}, "\t"))
	for _, row := range rows {
		fmt.Println(row.line(messages[row.message]))
	}
}

func (row frame) line(message []byte) string {
	if len(message) == 0 {
		log.Fatalf("%s: no message %s", row.name, row.message)
	}
	header, err := ttheader.EncodeToBytes(context.Background(), row.param)
	if err != nil {
		log.Fatal(err)
	}
	payload, inner := message, "bare"
	if row.framed {
		payload, inner = append(binary.BigEndian.AppendUint32(nil, uint32(len(message))), message...), "framed"
	}
	bytes := append(header, payload...)
	binary.BigEndian.PutUint32(bytes, uint32(len(bytes)-4))
	protocol, _, _ := strings.Cut(row.message, "_")
	return strings.Join([]string{"ttheader_" + row.name, "ttheader", protocol, "none", inner, row.headers(),
		fmt.Sprint(row.param.SeqID), hex.EncodeToString(message), hex.EncodeToString(bytes)}, "\t")
}

func (row frame) headers() string {
	var all []string
	for key, value := range row.param.StrInfo {
		all = append(all, fmt.Sprintf("%x=%x", key, value))
	}
	for key, value := range row.param.IntInfo {
		all = append(all, fmt.Sprintf("#%d=%x", key, value))
	}
	if len(all) == 0 {
		return "-"
	}
	sort.Strings(all)
	return strings.Join(all, ",")
}

// The golden messages by name.
func read(path string) map[string][]byte {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	messages := map[string][]byte{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t")
		message, err := hex.DecodeString(columns[len(columns)-1])
		if err == nil {
			messages[columns[0]] = message
		}
	}
	return messages
}
