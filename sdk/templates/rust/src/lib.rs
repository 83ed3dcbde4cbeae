//! @NAME@: publishes the event @NAME@/tick, and answers requests to /@NAME@.
//!
//!   GET  how many ticks there were, and how many ms are between them
//!   PUT  {"interval": 500} sets that
#![no_std]

use wamr_app::{publish, register, Action, App, Payload, Request, Status, Timer, Writer};

struct Ticker {
    ticks: i32,
    interval: i32,
    timer: Option<Timer>,
}

impl Ticker {
    fn describe(&self) -> Writer {
        Writer::new("@NAME@").set("ticks", self.ticks).set("interval", self.interval)
    }

    fn set_interval(&mut self, request: &Request<'_>) -> Status {
        // Hosts send every number as a double.
        let number = request.payload.attributes().and_then(|values| values.number("interval"));
        match (number, self.timer) {
            (Some(ms), Some(timer)) if ms >= 1.0 => {
                self.interval = ms as i32;
                timer.restart(ms as u32);
                Status::CHANGED
            }
            _ => Status::BAD_REQUEST,
        }
    }
}

impl App for Ticker {
    fn init() -> Self {
        register("/@NAME@\0");
        Ticker { ticks: 0, interval: 1000, timer: Timer::every(1000).ok() }
    }

    fn on_timer(&mut self, _: Timer) {
        self.ticks += 1;
        let _ = publish("@NAME@/tick", self.describe().payload());
    }

    fn on_request(&mut self, request: Request<'_>) {
        let _ = match request.action {
            Action::GET => request.respond(Status::CONTENT, self.describe().payload()),
            Action::PUT => {
                let status = self.set_interval(&request);
                request.respond(status, Payload::NONE)
            }
            _ => request.respond(Status::METHOD_NOT_ALLOWED, Payload::NONE),
        };
    }
}

wamr_app::export!(Ticker);
