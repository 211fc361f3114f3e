//! Requests that `openssl ts` answers, and what it answered: accepted as `openssl ts -verify` accepts it,
//! refused where one thing differs.

use super::*;
use crate::sign::lab::Lab;

/// An authority with a root of its own, as `openssl ca` and `openssl ts` run it.
fn authority(lab: &Lab, name: &str, purpose: &str) {
    let config = format!(
        "[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nO=Practice\nCN={name}\n[root]\nbasicConstraints=critical,CA:TRUE\n\
         keyUsage=critical,keyCertSign\n[leaf]\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage={purpose}\n[tsa]\ndefault_tsa=it\n[it]\nserial={name}.serial\ncrypto_device=builtin\n\
         signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sha384,sha512,sha1\naccuracy=secs:1\nordering=no\n\
         tsa_name=yes\ness_cert_id_alg=sha256\n"
    );
    lab.write(&format!("{name}.cnf"), config);
    lab.write(&format!("{name}.serial"), "01\n");
    let steps = format!(
        "openssl ecparam -name prime256v1 -genkey -noout -out {name}-ca.key &&
         openssl req -x509 -new -key {name}-ca.key -config {name}.cnf -extensions root -subj '/CN={name} root' -days 3650 -out {name}-ca.pem &&
         openssl ecparam -name prime256v1 -genkey -noout -out {name}.key &&
         openssl req -new -key {name}.key -config {name}.cnf -out {name}.csr &&
         openssl x509 -req -in {name}.csr -CA {name}-ca.pem -CAkey {name}-ca.key -CAcreateserial -days 2 \
           -extfile {name}.cnf -extensions leaf -out {name}.pem"
    );
    shell(lab, &steps);
}

fn shell(lab: &Lab, line: &str) {
    let output = lab.run("sh", &["-e", "-c", line], b"");
    assert!(output.status.success(), "{line}: {output:?}");
}

/// The authority's answer to `request`.
fn answer(lab: &Lab, name: &str, request: &[u8]) -> Vec<u8> {
    lab.write("request.tsq", request);
    shell(
        lab,
        &format!(
            "openssl ts -reply -config {name}.cnf -section it -queryfile request.tsq -signer {name}.pem \
             -inkey {name}.key -chain {name}-ca.pem -out answer.tsr"
        ),
    );
    std::fs::read(lab.path("answer.tsr")).unwrap()
}

fn trusted(lab: &Lab, name: &str) -> Authorities {
    Authorities::parse(&std::fs::read(lab.path(&format!("{name}-ca.pem"))).unwrap()).unwrap()
}

fn stamped(response: &[u8], content: &[u8], trusted: &Authorities) -> Result<Stamp, StampFault> {
    Token::parse(response)?.verify(content, None, trusted)
}

/// What the stock tool says of the answer that lies in `answer.tsr`.
fn stock(lab: &Lab, response: &[u8], content: &[u8], ca: &str) -> bool {
    lab.write("other.tsr", response);
    lab.write("content", content);
    let args = [
        "ts",
        "-verify",
        "-data",
        "content",
        "-in",
        "other.tsr",
        "-CAfile",
        ca,
    ];
    lab.run("openssl", &args, b"").status.success()
}

#[test]
fn a_request_is_what_openssl_reads() {
    let lab = Lab::new();
    for nonce in [[0; 8], [0xff; 8], [1, 2, 3, 4, 5, 6, 7, 8]] {
        let request = Request::of(b"signature", nonce);
        assert_eq!(Request::parse(request.bytes()).unwrap(), request);
        lab.write("request.tsq", request.bytes());
        let read = lab.run(
            "openssl",
            &["ts", "-query", "-in", "request.tsq", "-text"],
            b"",
        );
        let text = String::from_utf8_lossy(&read.stdout).into_owned();
        assert!(text.contains("Hash Algorithm: sha512"), "{text}");
        assert!(
            text.contains("Certificate required: yes") && text.contains("Nonce: 0x"),
            "{text}"
        );
    }
    assert!(Request::parse(b"no request").is_err());
}

#[test]
fn a_stamp_counts_from_a_trusted_authority_over_the_same_bytes() {
    let lab = Lab::new();
    authority(&lab, "tsa", "critical,timeStamping");
    authority(&lab, "eve", "critical,timeStamping");
    authority(&lab, "web", "serverAuth");
    let request = Request::of(b"signature", [7; 8]);
    let response = answer(&lab, "tsa", request.bytes());
    let (tsa, eve) = (trusted(&lab, "tsa"), trusted(&lab, "eve"));
    let stamp = stamped(&response, b"signature", &tsa).unwrap();
    assert_eq!(stamp.authority, "O=Practice, CN=tsa");
    assert_eq!((&*stamp.policy, &*stamp.serial), ("1.2.3.4.1", "02"));
    let age = crate::time::now().duration_since(stamp.at).as_secs();
    assert!((-5..=120).contains(&age), "{stamp:?}");
    assert!(stock(&lab, &response, b"signature", "tsa-ca.pem"));

    let told = |result: Result<Stamp, StampFault>| result.unwrap_err().to_string();
    assert!(told(stamped(&response, b"another", &tsa)).contains("of other bytes"));
    assert!(told(stamped(&response, b"signature", &eve)).contains("not from an authority"));
    assert!(!stock(&lab, &response, b"signature", "eve-ca.pem"));
    let token = Token::parse(&response).unwrap();
    assert!(token.verify(b"signature", Some(&request), &tsa).is_ok());
    let other = Request::of(b"signature", [8; 8]);
    assert!(told(token.verify(b"signature", Some(&other), &tsa)).contains("nonce differs"));

    // A certificate of the same root that may not stamp: openssl ts refuses to sign with it, so it is
    // put in by hand.
    let args = "openssl cms -sign -binary -nodetach -econtent_type 1.2.840.113549.1.9.16.1.4 \
                -in statement.der -signer web.pem -inkey web.key -outform DER -out forged.der";
    lab.write("statement.der", statement(&response));
    shell(&lab, args);
    let forged = std::fs::read(lab.path("forged.der")).unwrap();
    let granted = [&[0x30, 0x03, 0x02, 0x01, 0x00][..], &forged].concat();
    let forged = der::write(der::tag::SEQUENCE, &granted);
    let web = told(stamped(&forged, b"signature", &trusted(&lab, "web")));
    assert!(web.contains("purpose"), "{web}");
    // The benign twin of the forgery: the same, signed by one who may.
    shell(&lab, &args.replace("web", "tsa"));
    let twin = std::fs::read(lab.path("forged.der")).unwrap();
    let twin = der::write(
        der::tag::SEQUENCE,
        &[&[0x30, 0x03, 0x02, 0x01, 0x00][..], &twin].concat(),
    );
    assert!(stamped(&twin, b"signature", &tsa).is_ok());
}

/// The statement inside an answer: the first octet string that is a statement.
fn statement(response: &[u8]) -> Vec<u8> {
    let at = (0..response.len()).find(|at| {
        let mut der = der::Der(&response[*at..]);
        let inside = der.take(der::tag::OCTETS).ok();
        inside.is_some_and(|mut inside| {
            inside
                .take(der::tag::SEQUENCE)
                .is_ok_and(|mut it| it.number().is_ok_and(|number| number == 1))
        })
    });
    der::Der(&response[at.unwrap()..])
        .take(der::tag::OCTETS)
        .unwrap()
        .0
        .to_vec()
}

#[test]
fn a_refusal_and_a_weak_digest_are_told() {
    let lab = Lab::new();
    authority(&lab, "tsa", "critical,timeStamping");
    let md5 = lab.run(
        "openssl",
        &["ts", "-query", "-data", "tsa.cnf", "-md5", "-cert"],
        b"",
    );
    let refused = answer(&lab, "tsa", &md5.stdout);
    let told = Token::parse(&refused).unwrap_err().to_string();
    assert!(told.contains("gave no time stamp: status 2"), "{told}");
    let sha1 = lab.run(
        "openssl",
        &["ts", "-query", "-data", "tsa.cnf", "-sha1", "-cert"],
        b"",
    );
    let weak = answer(&lab, "tsa", &sha1.stdout);
    let content = std::fs::read(lab.path("tsa.cnf")).unwrap();
    let told = stamped(&weak, &content, &trusted(&lab, "tsa"))
        .unwrap_err()
        .to_string();
    assert!(told.contains("1.3.14.3.2.26"), "{told}");
    assert!(Authorities::parse(b"").is_err() && Authorities::parse(b"no PEM").is_err());
    for wrong in [&b""[..], b"<html>", b"\x30\x03\x02\x01\x00"] {
        assert!(Token::parse(wrong).is_err(), "{wrong:?}");
    }
}

/// Whoever flips a bit gets nothing that openssl would not take either, and never another time.
#[test]
fn no_bit_can_be_flipped_into_another_statement() {
    let lab = Lab::new();
    authority(&lab, "tsa", "critical,timeStamping");
    let request = Request::of(b"signature", [7; 8]);
    let response = answer(&lab, "tsa", request.bytes());
    let tsa = trusted(&lab, "tsa");
    let honest = stamped(&response, b"signature", &tsa).unwrap();
    let mut taken = 0;
    for byte in 0..response.len() {
        let mut flipped = response.clone();
        flipped[byte] ^= 1 << (byte % 8);
        if let Ok(stamp) = stamped(&flipped, b"signature", &tsa) {
            assert_eq!(
                (stamp.at, &stamp.serial),
                (honest.at, &honest.serial),
                "byte {byte}"
            );
            taken += 1;
        }
        assert!(stamped(&response[..byte], b"signature", &tsa).is_err());
    }
    // Bytes that no signature covers, such as those of the root that came along: a few hundred.
    assert!(taken < response.len() / 2, "{taken} of {}", response.len());
}
