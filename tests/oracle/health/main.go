// Health answers what the tools that people use make of an object: kstatus, which Flux, Helm and others link, and Argo
// CD's Lua scripts, run by the interpreter that Argo CD links.
//
// Each line of standard input is one question, each line of standard output its answer, in the same order. ../README.md
// has the shapes.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What Argo CD gives a script.
const luaLimit = time.Second

type question struct {
	// kstatus or argo
	Op     string          `json:"op"`
	Object json.RawMessage `json:"object"`
	Script string          `json:"script"`
}

type answer struct {
	Error   string `json:"error,omitempty"`
	Status  string `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
}

func kstatus(raw []byte) (answer, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(raw); err != nil {
		return answer{}, err
	}
	result, err := status.Compute(object)
	if err != nil {
		return answer{}, err
	}
	return answer{Status: result.Status.String(), Message: result.Message}, nil
}

// argo runs a script as Argo CD does: few libraries, the object as the global obj, a table as the result.
func argo(raw []byte, script string) (answer, error) {
	var object any
	if err := json.Unmarshal(raw, &object); err != nil {
		return answer{}, err
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	libraries := []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage}, // the first, as the others register with it
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
		{lua.StringLibName, lua.OpenString},
		{lua.MathLibName, lua.OpenMath},
	}
	for _, library := range libraries {
		call := lua.P{Fn: state.NewFunction(library.open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return answer{}, err
		}
	}
	limited, cancel := context.WithTimeout(context.Background(), luaLimit)
	defer cancel()
	state.SetContext(limited)
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoString(script); err != nil {
		return answer{}, err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return answer{}, fmt.Errorf("the script returned %s, not a table", state.Get(-1).Type())
	}
	said := answer{
		Status:  lua.LVAsString(table.RawGetString("status")),
		Message: lua.LVAsString(table.RawGetString("message")),
	}
	switch said.Status {
	case "Unknown", "Progressing", "Healthy", "Suspended", "Degraded", "Missing":
		return said, nil
	}
	return answer{}, fmt.Errorf("Argo CD knows no status %q", said.Status)
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

func respond(q question) answer {
	var a answer
	var err error
	switch q.Op {
	case "kstatus":
		a, err = kstatus(q.Object)
	case "argo":
		a, err = argo(q.Object, q.Script)
	default:
		err = fmt.Errorf("unknown op %q", q.Op)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	return a
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(line)) == 0 {
			return
		}
		if err != nil && !errors.Is(err, io.EOF) {
			fail(err)
		}
		var q question
		if err := json.Unmarshal(line, &q); err != nil {
			fail(err)
		}
		if err := out.Encode(respond(q)); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "health:", err)
	os.Exit(1)
}
