//! Requests, responses and events, and their packets.

use crate::attributes::Attributes;
use crate::buffer::Buffer;
use crate::{terminated, NotAvailable, Result};

#[link(wasm_import_module = "env")]
extern "C" {
    fn wasm_register_resource(url: *const u8);
    fn wasm_response_send(packet: *const u8, size: usize) -> i32;
    fn wasm_post_request(packet: *const u8, size: usize);
    fn wasm_sub_event(url: *const u8);
}

const REQUEST_HEAD: usize = 18;
const RESPONSE_HEAD: usize = 16;

/// What a request asks for; others than these may come, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action(pub u8);

impl Action {
    pub const GET: Action = Action(1);
    pub const POST: Action = Action(2);
    pub const PUT: Action = Action(3);
    pub const DELETE: Action = Action(4);
    pub const EVENT: Action = Action(6);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    pub const CREATED: Status = Status(65);
    pub const DELETED: Status = Status(66);
    pub const VALID: Status = Status(67);
    pub const CHANGED: Status = Status(68);
    pub const CONTENT: Status = Status(69);
    pub const BAD_REQUEST: Status = Status(128);
    pub const UNAUTHORIZED: Status = Status(129);
    pub const FORBIDDEN: Status = Status(131);
    pub const NOT_FOUND: Status = Status(132);
    pub const METHOD_NOT_ALLOWED: Status = Status(133);
    pub const PRECONDITION_FAILED: Status = Status(140);
    pub const TOO_LARGE: Status = Status(141);
    pub const UNSUPPORTED_MEDIA_TYPE: Status = Status(143);
    pub const INTERNAL_SERVER_ERROR: Status = Status(160);
    pub const NOT_IMPLEMENTED: Status = Status(161);
    pub const SERVICE_UNAVAILABLE: Status = Status(163);
    pub const GATEWAY_TIMEOUT: Status = Status(164);
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format(pub u16);

impl Format {
    pub const NONE: Format = Format(0);
    pub const RAW: Format = Format(98);
    pub const ATTRIBUTES: Format = Format(99);
}

#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    pub format: Format,
    pub bytes: &'a [u8],
}

impl Payload<'_> {
    pub const NONE: Payload<'static> = Payload { format: Format::NONE, bytes: &[] };
}

impl<'a> Payload<'a> {
    /// The attributes; `None`: it is something else.
    pub fn attributes(&self) -> Option<Attributes<'a>> {
        if self.format == Format::ATTRIBUTES {
            Attributes::parse(self.bytes)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub action: Action,
    pub mid: u32,
    pub sender: u32,
    pub url: &'a str,
    pub payload: Payload<'a>,
}

fn be16(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn be32(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

impl<'a> Request<'a> {
    #[doc(hidden)]
    pub fn unpack(packet: &'a [u8]) -> Option<Self> {
        let url_len = be16(packet, 12)? as usize;
        let rest = packet.get(REQUEST_HEAD..)?;
        let payload = rest.get(url_len..)?;
        if packet[0] != 1 || payload.len() != be32(packet, 14)? as usize {
            return None;
        }
        Some(Request {
            action: Action(packet[1]),
            mid: be32(packet, 4)?,
            sender: be32(packet, 8)?,
            url: core::str::from_utf8(rest.get(..url_len.checked_sub(1)?)?).ok()?,
            payload: Payload { format: Format(be16(packet, 2)?), bytes: payload },
        })
    }

    /// Whether the URL is this one, or below it.
    pub fn matches(&self, prefix: &str) -> bool {
        let url = self.url.strip_prefix('/').unwrap_or(self.url).as_bytes();
        let prefix = prefix.strip_prefix('/').unwrap_or(prefix).as_bytes();
        url.starts_with(prefix) && matches!(url.get(prefix.len()), None | Some(b'/') | Some(b'?'))
    }

    pub fn respond(&self, status: Status, payload: Payload<'_>) -> Result<()> {
        let mut packet = pack(RESPONSE_HEAD, status.0, self.mid, self.sender, &payload, 0)?;
        packet.add(&(payload.bytes.len() as u32).to_be_bytes());
        packet.add(payload.bytes);
        unsafe { wasm_response_send(packet.as_ptr(), packet.len()) };
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Response<'a> {
    pub status: Status,
    pub mid: u32,
    pub payload: Payload<'a>,
}

impl<'a> Response<'a> {
    #[doc(hidden)]
    pub fn unpack(packet: &'a [u8]) -> Option<Self> {
        let payload = packet.get(RESPONSE_HEAD..)?;
        if packet[0] != 1 || payload.len() != be32(packet, 12)? as usize {
            return None;
        }
        Some(Response {
            status: Status(packet[1]),
            mid: be32(packet, 4)?,
            payload: Payload { format: Format(be16(packet, 2)?), bytes: payload },
        })
    }
}

/// Requests to this URL and below it come to `on_request`. It must end with a NUL: `register("/room\0")`.
pub fn register(url: &str) {
    unsafe { wasm_register_resource(terminated(url)) }
}

/// Events published with exactly this URL come to `on_event`. It must end with a NUL.
pub fn subscribe(url: &str) {
    unsafe { wasm_sub_event(terminated(url)) }
}

pub fn publish(url: &str, payload: Payload<'_>) -> Result<()> {
    send(Action::EVENT, url, payload).map(|_| ())
}

/// Send a request. The response with the `mid` that this returns comes to `on_response`; nobody may answer.
pub fn send(action: Action, url: &str, payload: Payload<'_>) -> Result<u32> {
    static mut LAST_MID: u32 = 0;
    let mid = unsafe {
        LAST_MID += 1;
        LAST_MID
    };
    let mut packet = pack(REQUEST_HEAD, action.0, mid, 0, &payload, url.len() + 1)?;
    packet.add(&(url.len() as u16 + 1).to_be_bytes());
    packet.add(&(payload.bytes.len() as u32).to_be_bytes());
    packet.add(url.as_bytes());
    packet.add(&[0]);
    packet.add(payload.bytes);
    unsafe { wasm_post_request(packet.as_ptr(), packet.len()) };
    Ok(mid)
}

// What requests and responses begin with, and room for the rest.
fn pack(head: usize, kind: u8, mid: u32, peer: u32, payload: &Payload<'_>, more: usize) -> Result<Buffer> {
    let mut packet = Buffer::new();
    if !packet.reserve(head + more + payload.bytes.len()) {
        return Err(NotAvailable);
    }
    packet.add(&[1, kind]);
    packet.add(&payload.format.0.to_be_bytes());
    packet.add(&mid.to_be_bytes());
    packet.add(&peer.to_be_bytes());
    Ok(packet)
}
