package portal

import (
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	ws "wellspring"
)

// policyOfContent lets a page load its own style and pictures, send forms to
// itself, and nothing else: no script, whoever wrote it.
const policyOfContent = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard stands before every page.
func (p *Portal) guard(pages http.Handler) http.Handler {
	own := http.NewCrossOriginProtection()
	own.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.fail(w, r, ws.Errorf(ws.Denied, "", ws.T("the form was not sent from a page of this console", "该表单并非由本控制台的页面发出")))
	}))
	inside := own.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		ctx, cancel := context.WithTimeout(r.Context(), answering)
		defer cancel()
		pages.ServeHTTP(w, r.WithContext(ctx))
	}))
	outside := p.open()
	outside.HandleFunc("/", p.locked)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyOfContent)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		if !p.hosts[strings.ToLower(r.Host)] {
			http.Error(w, "wrong host 主机名不符", http.StatusMisdirectedRequest)
			return
		}
		select {
		case p.busy <- struct{}{}:
			defer func() { <-p.busy }()
		default:
			h.Set("Retry-After", "1")
			http.Error(w, "too many requests at one time 同时的请求过多", http.StatusServiceUnavailable)
			return
		}
		if p.known(r) {
			inside.ServeHTTP(w, r)
		} else {
			outside.ServeHTTP(w, r)
		}
	})
}

// open lists what the page that asks for the key needs: nobody is known yet.
func (p *Portal) open() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /enter", p.enter)
	mux.HandleFunc("GET /language/{to}", p.choose("-lang", string(ws.Chinese), string(ws.English)))
	mux.HandleFunc("GET /reloading/{to}", p.choose("-reload", "on", "off"))
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "pages/style.css") })
	return mux
}

// known reports whether the browser has come in.
func (p *Portal) known(r *http.Request) bool {
	c, err := r.Cookie(p.cookie)
	return err == nil && subtle.ConstantTimeCompare([]byte(c.Value), []byte(p.session)) == 1
}

// enter takes the key, and gives a cookie for it.
func (p *Portal) enter(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("key")), []byte(p.key)) != 1 {
		p.locked(w, r)
		return
	}
	p.setCookie(w, p.cookie, p.session)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// setCookie gives a cookie that this site's pages alone send back, and no script reads.
func (p *Portal) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// language is what the person chose, or what the browser asks for.
func (p *Portal) language(r *http.Request) ws.Lang {
	if c, err := r.Cookie(p.cookie + "-lang"); err == nil && (c.Value == string(ws.Chinese) || c.Value == string(ws.English)) {
		return ws.Lang(c.Value)
	}
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") { // browsers list them in order
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, "zh"):
			return ws.Chinese
		case strings.HasPrefix(tag, "en"):
			return ws.English
		}
	}
	if p.cfg.Lang == ws.Chinese {
		return ws.Chinese
	}
	return ws.English
}

// choose keeps one of the values of a setting, and goes back to where the person was.
func (p *Portal) choose(setting string, values ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if to := r.PathValue("to"); slices.Contains(values, to) {
			p.setCookie(w, p.cookie+setting, to)
		}
		back := r.URL.Query().Get("back")
		if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n") {
			back = "/"
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	}
}

// held reports whether the person has stopped pages from loading themselves again.
func (p *Portal) held(r *http.Request) bool {
	c, err := r.Cookie(p.cookie + "-reload")
	return err == nil && c.Value == "off"
}

// statuses map kinds to HTTP.
var statuses = map[ws.Kind]int{ws.Invalid: http.StatusNotFound, ws.Denied: http.StatusForbidden, ws.Withheld: http.StatusForbidden,
	ws.Unreachable: http.StatusServiceUnavailable, ws.Diverged: http.StatusConflict, ws.Stopped: http.StatusServiceUnavailable}

// A failure is what a page says that went wrong.
type failure struct {
	Message, Hint string
}

// failureOf is what an error says to a person. What is no error of ours may hold
// anything, and is not shown, wherever in the chain it stands.
func failureOf(err error, l ws.Lang) failure {
	f := failure{Message: ws.T("something went wrong that has no name yet", "发生了未归类的错误").In(l), Hint: ws.HintOf(err).In(l)}
	if all := ws.Sentences(err); len(all) > 0 {
		f.Message = all[0].In(l)
	}
	return f
}

// fail shows what went wrong, and what to do.
func (p *Portal) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, known := statuses[ws.KindOf(err)]
	if !known {
		status = http.StatusInternalServerError
	}
	l := p.language(r)
	p.show(w, r, status, "failure", &page{Title: ws.T("This cannot be shown", "无法显示"), Body: failureOf(err, l)})
}

// locked asks for the key.
func (p *Portal) locked(w http.ResponseWriter, r *http.Request) {
	p.show(w, r, http.StatusUnauthorized, "locked", &page{Title: ws.T("Come in by the address", "请使用入口地址")})
}
