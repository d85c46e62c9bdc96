// libcurl's options are C variadics, which Swift cannot call: one typed function for each kind of argument.
//
// Handles are `void *` and callbacks are spelt out here, because libcurl has changed both declarations over its
// versions; the types below stay the same for Swift whichever libcurl is installed (7.80, for CURLOPT_PREREQFUNCTION,
// or later).

#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#if LIBCURL_VERSION_NUM < 0x075000
#error "libcurl 7.80 or later is needed"
#endif

// Callbacks. Their last or first `context` is the pointer set through the matching option.

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_prerequest_function)(
    void *context, char *remote_address, char *local_address, int remote_port, int local_port);
typedef int (*ccurl_open_socket_function)(void *context, int purpose, struct curl_sockaddr *address);
typedef int (*ccurl_close_socket_function)(void *context, int descriptor);
typedef int (*ccurl_socket_function)(void *easy, int descriptor, int what, void *context, void *socket_context);
typedef int (*ccurl_timer_function)(void *multi, long milliseconds, void *context);

// The address libcurl is about to connect to, in network order: 4 or 16 bytes written, 0 for another family. libcurl
// allots what the family needs behind `addr`, which is declared too short for IPv6.
static inline int ccurl_address_bytes(const struct curl_sockaddr *address, uint8_t bytes[16]) {
    if (address->family == AF_INET && address->addrlen >= sizeof(struct sockaddr_in)) {
        memcpy(bytes, (const uint8_t *)&address->addr + offsetof(struct sockaddr_in, sin_addr), 4);
        return 4;
    }
    if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
        memcpy(bytes, (const uint8_t *)&address->addr + offsetof(struct sockaddr_in6, sin6_addr), 16);
        return 16;
    }
    return 0;
}

// Easy handles.

static inline void *ccurl_easy_init(void) { return curl_easy_init(); }
static inline void ccurl_easy_reset(void *easy) { curl_easy_reset(easy); }
static inline void ccurl_easy_cleanup(void *easy) { curl_easy_cleanup(easy); }
static inline CURLcode ccurl_easy_unpause(void *easy) { return curl_easy_pause(easy, CURLPAUSE_CONT); }

static inline CURLcode ccurl_set_long(void *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_size(void *easy, CURLoption option, int64_t value) {
    return curl_easy_setopt(easy, option, (curl_off_t)value);
}
static inline CURLcode ccurl_set_string(void *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_pointer(void *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_list(void *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode ccurl_set_write_function(void *easy, ccurl_data_function function) {
    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, (curl_write_callback)function);
}
static inline CURLcode ccurl_set_header_function(void *easy, ccurl_data_function function) {
    return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, (curl_write_callback)function);
}
static inline CURLcode ccurl_set_prerequest_function(void *easy, ccurl_prerequest_function function) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, (curl_prereq_callback)function);
}
static inline CURLcode ccurl_set_open_socket_function(void *easy, ccurl_open_socket_function function) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, (curl_opensocket_callback)function);
}
static inline CURLcode ccurl_set_close_socket_function(void *easy, ccurl_close_socket_function function) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, (curl_closesocket_callback)function);
}

// Only http and https, also where libcurl itself would follow a redirect. The string options replace the bit masks from
// 7.85 on.
static inline CURLcode ccurl_set_web_protocols_only(void *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    return code ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    return code ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static inline CURLcode ccurl_get_long(void *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode ccurl_get_pointer(void *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, value);
}

// Multi handles.

static inline void *ccurl_multi_init(void) { return curl_multi_init(); }
static inline CURLMcode ccurl_multi_cleanup(void *multi) { return curl_multi_cleanup(multi); }
static inline CURLMcode ccurl_multi_add(void *multi, void *easy) { return curl_multi_add_handle(multi, easy); }
static inline CURLMcode ccurl_multi_remove(void *multi, void *easy) { return curl_multi_remove_handle(multi, easy); }

static inline CURLMcode ccurl_multi_socket_action(void *multi, int descriptor, int events) {
    int running = 0;
    return curl_multi_socket_action(multi, descriptor, events, &running);
}

// The next finished easy handle with its result, or null when there is none.
static inline void *ccurl_multi_next_finished(void *multi, CURLcode *result) {
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}

static inline CURLMcode ccurl_multi_set_long(void *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode ccurl_multi_set_pointer(void *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode ccurl_multi_set_socket_function(void *multi, ccurl_socket_function function) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, (curl_socket_callback)function);
}
static inline CURLMcode ccurl_multi_set_timer_function(void *multi, ccurl_timer_function function) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, (curl_multi_timer_callback)function);
}

// What else Swift cannot call or see.

static inline int ccurl_name_thread(const char *name) { return prctl(PR_SET_NAME, name, 0, 0, 0); }

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_ALL); }
static const size_t ccurl_write_pause = CURL_WRITEFUNC_PAUSE;
static const int ccurl_socket_bad = CURL_SOCKET_BAD;
static const int ccurl_socket_timeout = CURL_SOCKET_TIMEOUT;
static const int ccurl_error_size = CURL_ERROR_SIZE;

#endif
