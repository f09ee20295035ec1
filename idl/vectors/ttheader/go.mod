module calculate/idl/vectors/ttheader

go 1.22

require github.com/cloudwego/gopkg v0.1.4

require (
	github.com/bytedance/gopkg v0.1.1 // indirect
	golang.org/x/net v0.24.0 // indirect
	golang.org/x/text v0.14.0 // indirect
)
