// Oracle answers what Helm's own engine and libraries make of an input.
//
// Each line of standard input is one question, each line of standard output its answer, in the same order. Texts are
// base64, as Go's JSON writes bytes: what charts hold need not be UTF-8. README.md has the shapes.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/Masterminds/sprig/v3"
	v3 "go.yaml.in/yaml/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	commonutil "helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	"helm.sh/helm/v4/pkg/strvals"
	"sigs.k8s.io/yaml"
)

type question struct {
	Op string `json:"op"`
	// render
	Templates map[string][]byte `json:"templates"`
	Files     map[string][]byte `json:"files"`
	// render and values
	Values []byte `json:"values"`
	Sets   []set  `json:"sets"`
	// yaml
	Text []byte `json:"text"`
	// time
	Path  string `json:"path"`
	Times int    `json:"times"`
}

type set struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

type answer struct {
	Error string            `json:"error,omitempty"`
	Files map[string][]byte `json:"files,omitempty"`
	Value json.RawMessage   `json:"value,omitempty"`
	Yaml  *yamlAnswer       `json:"yaml,omitempty"`
	Times *timesAnswer      `json:"times,omitempty"`
}

type yamlAnswer struct {
	Json   []byte `json:"json"`
	Yaml   []byte `json:"yaml"`
	Pretty []byte `json:"pretty"`
}

type timesAnswer struct {
	WallNs []int64 `json:"wall_ns"`
	CpuNs  int64   `json:"cpu_ns"`
	PeakKb int64   `json:"peak_kb"`
	Bytes  int     `json:"bytes"`
}

// merged does what helm does with -f and then the flags, in the order that they are given here.
func merged(q question) (map[string]any, error) {
	values, err := loader.LoadValues(bytes.NewReader(q.Values))
	if err != nil {
		return nil, err
	}
	if values == nil {
		values = map[string]any{}
	}
	for _, s := range q.Sets {
		switch s.Kind {
		case "set":
			err = strvals.ParseInto(s.Text, values)
		case "string":
			err = strvals.ParseIntoString(s.Text, values)
		case "json":
			// The command hides the reason.
			if strvals.ParseJSON(s.Text, values) != nil {
				err = errors.New("failed parsing --set-json data")
			}
		case "literal":
			err = strvals.ParseLiteralInto(s.Text, values)
		case "file":
			err = strvals.ParseIntoFile(s.Text, values, func(name []rune) (any, error) {
				return "<" + string(name) + ">", nil
			})
		default:
			err = fmt.Errorf("unknown kind of set %q", s.Kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func renderValues(c *chart.Chart, values map[string]any) (common.Values, error) {
	if err := chartutil.ProcessDependencies(c, values); err != nil {
		return nil, err
	}
	options := common.ReleaseOptions{Name: "release-name", Namespace: "default", Revision: 1, IsInstall: true}
	return commonutil.ToRenderValues(c, values, options, common.DefaultCapabilities.Copy())
}

func render(q question) (map[string][]byte, error) {
	c := &chart.Chart{Metadata: &chart.Metadata{
		APIVersion: "v2", Name: "t", Version: "0.1.0", AppVersion: "1.2", Type: "application",
	}}
	for _, name := range names(q.Templates) {
		c.Templates = append(c.Templates, &common.File{Name: name, Data: q.Templates[name]})
	}
	for _, name := range names(q.Files) {
		c.Files = append(c.Files, &common.File{Name: name, Data: q.Files[name]})
	}
	values, err := merged(q)
	if err != nil {
		return nil, err
	}
	top, err := renderValues(c, values)
	if err != nil {
		return nil, err
	}
	rendered, err := engine.Render(c, top)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, text := range rendered {
		files[name] = []byte(text)
	}
	return files, nil
}

func names[T any](of map[string]T) []string {
	all := make([]string, 0, len(of))
	for name := range of {
		all = append(all, name)
	}
	sort.Strings(all)
	return all
}

// sprigNames are the functions that the engine takes over from sprig.
func sprigNames() []string {
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	return names(functions)
}

// typed writes a value as JSON in which the types of numbers can be seen.
func typed(v any) any {
	switch v := v.(type) {
	case int64:
		return map[string]any{"int64": strconv.FormatInt(v, 10)}
	case float64:
		return map[string]any{"float64": strconv.FormatFloat(v, 'g', -1, 64)}
	case []any:
		list := []any{}
		for _, item := range v {
			list = append(list, typed(item))
		}
		return map[string]any{"list": list}
	case map[string]any:
		entries := map[string]any{}
		for key, item := range v {
			entries[key] = typed(item)
		}
		return map[string]any{"map": entries}
	case string:
		return map[string]any{"string": []byte(v)}
	case nil, bool:
		return v
	}
	return map[string]any{"other": fmt.Sprintf("%T %v", v, v)}
}

func yamlOf(text []byte) (*yamlAnswer, error) {
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, err
	}
	asJson, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	asYaml, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	encoder := v3.NewEncoder(&pretty)
	encoder.SetIndent(2)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return &yamlAnswer{Json: asJson, Yaml: asYaml, Pretty: pretty.Bytes()}, nil
}

// times renders a chart again and again: what is measured is the engine alone.
func times(q question) (*timesAnswer, error) {
	c, err := loader.Load(q.Path)
	if err != nil {
		return nil, err
	}
	result := &timesAnswer{}
	for range q.Times {
		values, err := merged(q)
		if err != nil {
			return nil, err
		}
		top, err := renderValues(c, values)
		if err != nil {
			return nil, err
		}
		cpu, started := cpuTime(), time.Now()
		rendered, err := engine.Render(c, top)
		result.WallNs = append(result.WallNs, time.Since(started).Nanoseconds())
		result.CpuNs += cpuTime() - cpu
		if err != nil {
			return nil, err
		}
		result.Bytes = 0
		for _, text := range rendered {
			result.Bytes += len(text)
		}
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return nil, err
	}
	result.PeakKb = usage.Maxrss
	return result, nil
}

func cpuTime() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func respond(q question) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{Error: fmt.Sprintf("panic: %v", r)}
		}
	}()
	var err error
	switch q.Op {
	case "render":
		a.Files, err = render(q)
		if a.Files == nil {
			a.Files = map[string][]byte{}
		}
	case "values":
		var values map[string]any
		if values, err = merged(q); err == nil {
			a.Value, err = json.Marshal(typed(values))
		}
	case "yaml":
		a.Yaml, err = yamlOf(q.Text)
	case "names":
		a.Value, err = json.Marshal(sprigNames())
	case "time":
		a.Times, err = times(q)
	default:
		err = fmt.Errorf("unknown op %q", q.Op)
	}
	if err != nil {
		a = answer{Error: err.Error()}
		if a.Error == "" {
			a.Error = "an error without a text"
		}
	}
	return a
}

func main() {
	// A value that holds itself overflows the stack when it is printed; a gigabyte of it takes long to fill.
	debug.SetMaxStack(64 << 20)
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	buffered := bufio.NewWriterSize(os.Stdout, 1<<20)
	out := json.NewEncoder(buffered)
	out.SetEscapeHTML(false)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(bytes.TrimSpace(line)) == 0 {
			return
		}
		if err != nil {
			fail(err)
		}
		var q question
		if err := json.Unmarshal(line, &q); err != nil {
			fail(err)
		}
		if err := out.Encode(respond(q)); err != nil {
			fail(err)
		}
		if err := buffered.Flush(); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "oracle:", strings.TrimSpace(err.Error()), runtime.Version())
	os.Exit(1)
}
