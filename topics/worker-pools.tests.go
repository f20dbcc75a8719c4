// Fetch against servers that answer, fail or stay silent. Time stands still while nothing runs, so waiting takes none.
//
// answers: as they are
package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errRefused = errors.New("connection refused")
	errFull    = errors.New("the store is full")
)

// answer is what a server does with a request: it waits, then it breaks off or answers.
type answer struct {
	name   string
	wait   time.Duration
	silent bool // it says nothing, until the request is given up
	status int
	err    error
	stalls bool // it says nothing more in the middle of the body
}

// servers answer all requests of a client and count them.
type servers struct {
	mu           sync.Mutex
	answers      map[string]answer
	usual        answer
	asked        []string
	under, most  int
	lastAskedFor time.Time
}

func (s *servers) RoundTrip(request *http.Request) (*http.Response, error) {
	url := request.URL.String()
	s.mu.Lock()
	given, known := s.answers[url]
	if !known {
		given = s.usual
	}
	s.asked = append(s.asked, url)
	s.lastAskedFor = time.Now()
	s.under++
	s.most = max(s.most, s.under)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.under--
		s.mu.Unlock()
	}()
	if err := s.waits(request.Context(), given); err != nil {
		return nil, err
	}
	status := max(given.status, 200*(1-min(given.status, 1)))
	text := "what stands under " + url
	var body io.Reader = strings.NewReader(text)
	if given.stalls {
		body = io.MultiReader(strings.NewReader(text[:4]), stalled{request.Context()})
	}
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", status, http.StatusText(status)),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        http.Header{},
		Body:          io.NopCloser(body),
		ContentLength: int64(len(text)),
		Request:       request,
	}, nil
}

// count is how many requests there were.
func (s *servers) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *servers) waits(ctx context.Context, given answer) error {
	if given.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	if given.wait > 0 {
		select {
		case <-time.After(given.wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return given.err
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

func at(n int) string { return fmt.Sprintf("https://gazette.example/%d", n) }

// list is a sequence of n URLs; the database takes its time before the one that is said.
func list(n, slow int, takes time.Duration) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if i == slow {
				time.Sleep(takes)
			}
			if !yield(at(i)) {
				return
			}
		}
	}
}

func urls(n int) iter.Seq[string] { return list(n, n, 0) }

// fetched is how a call of Fetch went.
type fetched struct {
	err   error
	took  time.Duration
	got   []Document
	after int // documents that handle got after the run had ended
}

// fetch calls Fetch, and lets handle take `each` for a document; where `handle` is nil, it takes all.
func fetch(ctx context.Context, s *servers, list iter.Seq[string], workers int, handle func(Document) error) fetched {
	var f fetched
	began := time.Now()
	client := &http.Client{Transport: s}
	failed := false
	f.err = Fetch(ctx, client, list, Options{Workers: workers, PerURL: 2 * time.Minute}, func(d Document) error {
		if failed {
			f.after++
		}
		if handle != nil {
			if err := handle(d); err != nil {
				failed = true
				return err
			}
		}
		f.got = append(f.got, d)
		return nil
	})
	f.took = time.Since(began)
	time.Sleep(48 * time.Hour) // what still waits for the database may end; what never ends is told
	return f
}

func within(t *testing.T, what string, took, from, to time.Duration) {
	t.Helper()
	if took < from || took > to {
		t.Errorf("%s = returns after %v, want between %v and %v", what, took, from, to)
	}
}

func names(err error, url string) bool { return err != nil && strings.Contains(err.Error(), url) }

func TestEveryDocumentIsHandledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, workers := range []int{1, 3, 8, 50} {
			f := fetch(t.Context(), &servers{usual: answer{wait: time.Second}}, urls(20), workers, nil)
			got := make([]string, 0, len(f.got))
			for _, d := range f.got {
				got = append(got, d.URL)
				if want := "what stands under " + d.URL; !bytes.Equal(d.Body, []byte(want)) {
					t.Errorf("the body of %s = %q, want %q", d.URL, d.Body, want)
				}
			}
			slices.Sort(got)
			if len(slices.Compact(got)) != 20 || len(f.got) != 20 || f.err != nil {
				t.Errorf("Fetch of 20 URLs with %d workers = %d documents, %v, want 20 documents, <nil>", workers, len(f.got), f.err)
			}
		}
	})
}

func TestAnEmptyListIsComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if f := fetch(t.Context(), &servers{}, urls(0), 8, nil); f.err != nil || len(f.got) != 0 {
			t.Errorf("Fetch of no URLs = %d documents, %v, want 0 documents, <nil>", len(f.got), f.err)
		}
	})
}

func TestAsManyRequestsAsAgreedAreUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, workers := range []int{1, 8} {
			s := &servers{usual: answer{wait: time.Second}}
			f := fetch(t.Context(), s, urls(40), workers, nil)
			if s.most != workers || f.err != nil {
				t.Errorf("the requests under way with %d workers = %d (%v), want %d", workers, s.most, f.err, workers)
			}
		}
	})
}

func TestHandleIsCalledOnceAtATimeAndHoldsUpTheRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servers{}
		var mu sync.Mutex
		handled, ahead := 0, 0
		f := fetch(t.Context(), s, urls(60), 4, func(Document) error {
			if !mu.TryLock() {
				t.Error("handle is called twice at a time")
				return nil
			}
			defer mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			ahead = max(ahead, s.count()-handled)
			handled++
			return nil
		})
		if ahead > 6 || f.err != nil {
			t.Errorf("the documents that wait for handle with 4 workers = %d (%v), want at most 6", ahead, f.err)
		}
	})
}

func TestADocumentThatCannotBeHadEndsTheRun(t *testing.T) {
	for _, broken := range []answer{
		{name: "not found", wait: time.Second, status: 404},
		{name: "server error", wait: time.Second, status: 503},
		{name: "other success", wait: time.Second, status: 204},
		{name: "no connection", wait: time.Second, err: errRefused},
		{name: "silent", silent: true},
		{name: "stalls", stalls: true},
		{name: "answers too late", wait: 3 * time.Minute},
	} {
		t.Run(broken.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &servers{answers: map[string]answer{at(2): broken}, usual: answer{wait: 100 * time.Millisecond}}
				f := fetch(t.Context(), s, urls(3), 2, nil)
				if !names(f.err, at(2)) || errors.Is(f.err, context.Canceled) {
					t.Errorf("Fetch = %v, want an error that names %s", f.err, at(2))
				}
				if broken.err != nil && !errors.Is(f.err, broken.err) {
					t.Errorf("Fetch = %v, want an error that wraps %v", f.err, broken.err)
				}
				within(t, "Fetch of a URL of at most two minutes", f.took, 0, 2*time.Minute+time.Second)
			})
		})
	}
}

func TestAfterAFailureNothingIsAskedForOrHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servers{answers: map[string]answer{at(5): {wait: time.Second, status: 404}}, usual: answer{wait: 3 * time.Second}}
		began := time.Now()
		f := fetch(t.Context(), s, urls(500), 8, nil)
		within(t, "the last request of a run that fails after a second", s.lastAskedFor.Sub(began), 0, time.Second)
		within(t, "Fetch that fails after a second, others being slow", f.took, time.Second, 2*time.Second)
		if len(f.got) != 0 || !names(f.err, at(5)) {
			t.Errorf("Fetch = %d documents, %v, want none, and an error that names %s", len(f.got), f.err, at(5))
		}
	})
}

func TestTheFirstFailureStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servers{answers: map[string]answer{at(0): {wait: time.Second, err: errRefused}}, usual: answer{silent: true}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f := fetch(ctx, s, urls(20), 8, nil)
		if !names(f.err, at(0)) || !errors.Is(f.err, errRefused) {
			t.Errorf("Fetch = %v, want what %s failed with", f.err, at(0))
		}
		within(t, "Fetch that fails after a second, others being silent", f.took, time.Second, 2*time.Second)
	})
}

func TestAnErrorOfHandleEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &servers{usual: answer{wait: time.Second}}
		f := fetch(t.Context(), s, urls(500), 8, func(Document) error {
			if s.count() > 100 {
				return errFull
			}
			return nil
		})
		if !errors.Is(f.err, errFull) || f.after != 0 {
			t.Errorf("Fetch = %v and %d calls of handle after that, want %v and none", f.err, f.after, errFull)
		}
		if s.count() > 120 {
			t.Errorf("the requests of a run that ends after some hundred = %d, want at most 120", s.count())
		}
	})
}

func TestTheEndOfTheSlotBlamesNoURL(t *testing.T) {
	for _, usual := range []answer{
		{name: "silent", silent: true},
		{name: "in the body", stalls: true},
		{name: "slow", wait: time.Minute},
	} {
		t.Run(usual.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				f := fetch(ctx, &servers{usual: usual}, urls(3), 3, nil)
				if !errors.Is(f.err, context.DeadlineExceeded) || names(f.err, "https://") {
					t.Errorf("Fetch whose slot ends = %v, want the end of ctx, and no URL", f.err)
				}
				within(t, "Fetch with a slot of ten seconds", f.took, 10*time.Second, 11*time.Second)
			})
		})
	}
}

func TestAShutdownBlamesNoURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		f := fetch(ctx, &servers{usual: answer{silent: true}}, urls(8), 8, nil)
		if !errors.Is(f.err, context.Canceled) || names(f.err, "https://") {
			t.Errorf("Fetch that is cancelled = %v, want context canceled, and no URL", f.err)
		}
		within(t, "Fetch that is cancelled after ten seconds", f.took, 10*time.Second, 11*time.Second)
	})
}

func TestAContextThatHasEndedIsToldAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		f := fetch(ctx, &servers{}, urls(100), 8, nil)
		if !errors.Is(f.err, context.Canceled) || len(f.got) != 0 {
			t.Errorf("Fetch = %d documents, %v, want none, context canceled", len(f.got), f.err)
		}
	})
}

func TestADatabaseThatWaitsHoldsUpNoFailure(t *testing.T) {
	for _, takes := range []time.Duration{30 * time.Second, 24 * time.Hour} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &servers{answers: map[string]answer{at(1): {wait: time.Second, status: 404}}}
				f := fetch(t.Context(), s, list(10, 3, takes), 2, nil)
				if !names(f.err, at(1)) {
					t.Errorf("Fetch = %v, want an error that names %s", f.err, at(1))
				}
				within(t, "Fetch that fails after a second, while the database reads on", f.took, time.Second, 2*time.Second)
			})
		})
	}
}

func TestADatabaseThatWaitsHoldsUpNoEndOfTheSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		f := fetch(ctx, &servers{}, list(10, 3, time.Hour), 2, nil)
		if !errors.Is(f.err, context.DeadlineExceeded) {
			t.Errorf("Fetch whose slot ends = %v, want context deadline exceeded", f.err)
		}
		within(t, "Fetch with a slot of ten seconds, while the database reads on", f.took, 10*time.Second, 11*time.Second)
	})
}

func TestADatabaseThatWaitsHoldsUpNoErrorOfHandle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fetch(t.Context(), &servers{}, list(10, 1, time.Hour), 2, func(Document) error { return errFull })
		if !errors.Is(f.err, errFull) {
			t.Errorf("Fetch = %v, want %v", f.err, errFull)
		}
		within(t, "Fetch whose store is full, while the database reads on", f.took, 0, time.Second)
	})
}

func TestADatabaseThatWaitsIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fetch(t.Context(), &servers{}, list(10, 3, time.Minute), 2, nil)
		if f.err != nil || len(f.got) != 10 {
			t.Errorf("Fetch = %d documents, %v, want 10 documents, <nil>", len(f.got), f.err)
		}
	})
}
