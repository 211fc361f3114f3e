//! A DNS server over UDP that knows the mail domains of the practice inventory, and nothing else.

use std::net::Ipv4Addr;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;

const DOMAINS: [&str; 3] = ["bank.example.com", "amps.example.com", "echo.example.com"];
/// RFC 5737: an address for examples, to which nobody connects.
const EXCHANGER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 25);
const TTL: u32 = 60;

/// Answers until the runtime ends. `without_mail`: a domain that says by a null MX that it takes none.
pub(super) async fn serve(socket: UdpSocket, without_mail: Option<&'static str>) {
    let mut buffer = [0; 4096];
    // What a client that went away leaves behind is no reason to end; a socket that only fails is.
    let mut failed = 0;
    while failed < 100 {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            failed += 1;
            continue;
        };
        failed = 0;
        if let Some(answer) = answer(&buffer[..length], without_mail) {
            let _gone = socket.send_to(&answer, from).await;
        }
    }
}

fn answer(asked: &[u8], without_mail: Option<&str>) -> Option<Vec<u8>> {
    let asked = Message::from_vec(asked).ok()?;
    let query = asked.queries.first()?;
    let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
    answer.metadata.authoritative = true;
    answer.metadata.recursion_desired = asked.metadata.recursion_desired;
    answer.metadata.recursion_available = true;
    answer.add_query(query.clone());
    let name = query.name.to_ascii().to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    let exchanger = name.strip_prefix("mail.");
    let record = |data| Record::from_rdata(query.name.clone(), TTL, data);
    if DOMAINS.contains(&name) {
        if query.query_type == RecordType::MX {
            let (preference, exchange) = match without_mail == Some(name) {
                true => (0, ".".to_owned()),
                false => (10, format!("mail.{name}.")),
            };
            let exchange = Name::from_ascii(&exchange).ok()?;
            answer.add_answer(record(RData::MX(MX::new(preference, exchange))));
        }
    } else if exchanger.is_some_and(|domain| DOMAINS.contains(&domain)) {
        if query.query_type == RecordType::A {
            answer.add_answer(record(RData::A(A(EXCHANGER))));
        }
    } else {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    answer.to_vec().ok()
}
