//! A server: answers each request to /room_temp with the temperature of the room, which is always 26.5 degrees.
#![no_std]

use wamr_app::{register, App, Request, Status, Writer};

struct RoomTemp;

impl App for RoomTemp {
    fn init() -> Self {
        register("/room_temp\0");
        RoomTemp
    }

    fn on_request(&mut self, request: Request<'_>) {
        let attributes = Writer::new("room_temp payload").set("temp unit", "centigrade").set("value", 26.5f32);
        let _ = request.respond(Status::CONTENT, attributes.payload());
    }
}

wamr_app::export!(RoomTemp);
