//! Apps for WAMR's app manager: requests, responses, events, timers, sensors and connections.
//!
//! An app is a type that implements [`App`], and one line, `wamr_app::export!(MyApp);`, which makes the functions that the
//! app manager calls. The feature `alloc` makes the board's heap that of Rust's `alloc` (Rust 1.68 or newer).
#![no_std]

pub mod attributes;
pub mod board;
mod buffer;
mod message;
mod things;

pub use attributes::{Attributes, Writer};
pub use message::{publish, register, send, subscribe, Action, Format, Payload, Request, Response, Status};
pub use things::{ticks_ms, Connection, Sensor, Timer};

/// What cannot be done now: no memory, too many timers, no such sensor, a connection that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAvailable;

pub type Result<T> = core::result::Result<T, NotAvailable>;

/// An app. What its functions are given is there until they return.
pub trait App: Sized {
    /// The app was installed, or the board restarted.
    fn init() -> Self;
    /// A request for a URL given to [`register`].
    fn on_request(&mut self, _request: Request<'_>) {}
    /// An event with a URL given to [`subscribe`].
    fn on_event(&mut self, _event: Request<'_>) {}
    /// The response to a request that [`send`] has sent, known by its `mid`.
    fn on_response(&mut self, _response: Response<'_>) {}
    fn on_timer(&mut self, _timer: Timer) {}
    fn on_sensor(&mut self, _sensor: Sensor, _reading: Attributes<'_>) {}
    /// Data, or `None`: the connection was closed.
    fn on_connection(&mut self, _connection: Connection, _data: Option<&[u8]>) {}
    /// The app will be removed.
    fn on_destroy(&mut self) {}
}

/// Makes the functions that the app manager calls for an [`App`].
#[macro_export]
macro_rules! export {
    ($app:ty) => {
        static mut WAMR_APP: Option<$app> = None;

        // The app manager calls one function at a time.
        fn wamr_app() -> Option<&'static mut $app> {
            unsafe { (*core::ptr::addr_of_mut!(WAMR_APP)).as_mut() }
        }

        #[no_mangle]
        pub extern "C" fn on_init() {
            let app = <$app as $crate::App>::init();
            unsafe { *core::ptr::addr_of_mut!(WAMR_APP) = Some(app) }
        }

        #[no_mangle]
        pub extern "C" fn on_destroy() {
            if let Some(app) = wamr_app() {
                $crate::App::on_destroy(app)
            }
        }

        #[no_mangle]
        pub unsafe extern "C" fn on_request(packet: *const u8, size: usize) {
            if let (Some(app), Some(request)) = (wamr_app(), $crate::Request::unpack($crate::slice(packet, size))) {
                if request.action == $crate::Action::EVENT {
                    $crate::App::on_event(app, request)
                } else {
                    $crate::App::on_request(app, request)
                }
            }
        }

        #[no_mangle]
        pub unsafe extern "C" fn on_response(packet: *const u8, size: usize) {
            if let (Some(app), Some(response)) = (wamr_app(), $crate::Response::unpack($crate::slice(packet, size))) {
                $crate::App::on_response(app, response)
            }
        }

        #[no_mangle]
        pub extern "C" fn on_timer_callback(id: i32) {
            if let Some(app) = wamr_app() {
                $crate::App::on_timer(app, $crate::Timer { id })
            }
        }

        #[no_mangle]
        pub unsafe extern "C" fn on_sensor_event(id: i32, reading: *const u8, size: usize) {
            if let (Some(app), Some(reading)) = (wamr_app(), $crate::Attributes::parse($crate::slice(reading, size))) {
                $crate::App::on_sensor(app, $crate::Sensor { id }, reading)
            }
        }

        #[no_mangle]
        pub unsafe extern "C" fn on_connection_data(handle: i32, data: *const u8, size: usize) {
            if let Some(app) = wamr_app() {
                let data = if size > 0 { Some($crate::slice(data, size)) } else { None };
                $crate::App::on_connection(app, $crate::Connection { handle }, data)
            }
        }
    };
}

/// What the app manager hands over. For [`export!`].
///
/// # Safety
/// There must be `size` bytes.
#[doc(hidden)]
pub unsafe fn slice<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if data.is_null() {
        &[]
    } else {
        core::slice::from_raw_parts(data, size)
    }
}

#[link(wasm_import_module = "env")]
extern "C" {
    fn puts(text: *const u8) -> i32;
}

#[cfg(feature = "alloc")]
mod heap {
    use core::alloc::{GlobalAlloc, Layout};

    #[link(wasm_import_module = "env")]
    extern "C" {
        fn malloc(size: usize) -> *mut u8;
        fn free(block: *mut u8);
    }

    struct BoardHeap;

    // Blocks are aligned to 8 bytes, which is all that types of WebAssembly without vectors need.
    unsafe impl GlobalAlloc for BoardHeap {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            malloc(layout.size())
        }

        unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
            free(block)
        }
    }

    #[global_allocator]
    static HEAP: BoardHeap = BoardHeap;
}

/// A panic ends the handler at work.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Prints a line, which ends with a NUL: `println("hello\0")`.
pub fn println(text: &str) {
    unsafe {
        puts(terminated(text));
    }
}

/// The address of a string that must end with a NUL, for functions of C.
pub(crate) fn terminated(text: &str) -> *const u8 {
    assert!(text.ends_with('\0'));
    text.as_ptr()
}
