//! A publisher: a timer publishes the event alert/overheat every second.
#![no_std]

use wamr_app::{publish, App, Timer, Writer};

extern "C" {
    fn printf(format: *const u8, ...) -> i32;
}

struct Overheat {
    num: i32,
}

impl App for Overheat {
    fn init() -> Self {
        let _ = Timer::every(1000);
        Overheat { num: 0 }
    }

    fn on_timer(&mut self, _: Timer) {
        unsafe { printf("Timer update %d\n\0".as_ptr(), self.num) };
        self.num += 1;
        let event = Writer::new("event").set("warning", "temperature is over high");
        let _ = publish("alert/overheat", event.payload());
    }
}

wamr_app::export!(Overheat);
