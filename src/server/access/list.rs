//! All rules together.

use super::super::peer::Peer;
use super::rule::{Effect, Rule};
use std::sync::Arc;

/// Rules; none of them permits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    rules: Vec<Rule>,
}

/// What a list says of one peer: the rules that speak of it. To ask for a call costs no look at the others.
#[derive(Clone, Debug)]
pub struct Grants {
    list: Arc<AccessList>,
    /// The rules of the list that speak of the peer.
    rules: Vec<usize>,
}

impl AccessList {
    /// Reads a list in the form that [`super`] describes.
    ///
    /// # Errors
    /// Gives the line, what is wrong with it, and the form.
    pub fn parse(text: &str) -> Result<AccessList, String> {
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split_once('#').map_or(line, |(rule, _)| rule).trim();
            if !line.is_empty() {
                rules.push(Rule::parse(line).map_err(|why| format!("line {}: {why}", index + 1))?);
            }
        }
        Ok(AccessList { rules })
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it permits nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What the list says of this peer.
    pub fn grants(self: Arc<Self>, peer: &Peer) -> Grants {
        let speaks = |(index, rule): (usize, &Rule)| rule.speaks_of(peer).then_some(index);
        let rules = self.rules.iter().enumerate().filter_map(speaks).collect();
        Grants { list: self, rules }
    }
}

impl Grants {
    /// Whether the peer may call the method of the service.
    pub fn permit(&self, service: &str, method: &[u8]) -> bool {
        let mut allowed = false;
        for rule in self.rules.iter().map(|&index| &self.list.rules[index]) {
            if rule.covers(service, method) {
                match rule.effect() {
                    Effect::Allow => allowed = true,
                    Effect::Deny => return false,
                }
            }
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::peer::{Address, Identity, TlsSession};
    use super::*;

    fn tcp(address: &str) -> Peer {
        Peer::new(Address::Tcp(address.parse().expect("an address")))
    }

    fn certified(common_name: &str, names: &[&str]) -> Peer {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let identity = Some(Identity { common_name: Some(common_name.into()), names });
        Peer { tls: Some(TlsSession { version: "TLSv1.3", identity }), ..tcp("192.0.2.1:5") }
    }

    fn permits(list: &str, peer: &Peer, method: &str) -> bool {
        let list = Arc::new(AccessList::parse(list).expect("a list"));
        list.grants(peer).permit("Calculate", method.as_bytes())
    }

    #[test]
    fn an_empty_list_permits_nothing() {
        assert!(!permits("# nobody\n\n", &tcp("127.0.0.1:1"), "Square"));
    }

    #[test]
    fn a_rule_speaks_of_those_it_names_only() {
        let alice = certified("alice", &["alice.clients.test", "spiffe://calculate.test/alice"]);
        let user = Peer::new(Address::Unix { uid: 7, pid: 1 });
        let here = tcp("10.1.2.3:4");
        let mapped = tcp("[::ffff:10.1.2.3]:4");
        let cases = [
            ("cert:alice.clients.test", [true, false, false, false]),
            ("cert:ALICE.Clients.test", [true, false, false, false]),
            ("cert:spiffe://calculate.test/alice", [true, false, false, false]),
            ("cert:spiffe://calculate.test/ALICE", [false; 4]),
            ("cert:*.clients.test", [true, false, false, false]),
            ("cert:*.test", [false; 4]),
            ("cert:alice", [false; 4]),
            ("cert:*", [true, false, false, false]),
            ("cn:alice", [true, false, false, false]),
            ("cn:alice.clients.test", [false; 4]),
            ("unix:7", [false, true, false, false]),
            ("unix:8", [false; 4]),
            ("unix:*", [false, true, false, false]),
            ("addr:10.0.0.0/8", [false, false, true, true]),
            ("addr:10.1.2.4", [false; 4]),
            ("addr:::ffff:10.1.0.0/112", [false, false, true, true]),
            ("addr:::ffff:10.1.2.3", [false, false, true, true]),
            ("addr:::/0", [false; 4]),
            ("addr:192.0.2.1", [true, false, false, false]),
            ("*", [true; 4]),
        ];
        for (who, expected) in cases {
            let list = format!("allow {who} Calculate.Square");
            let found = [&alice, &user, &here, &mapped].map(|peer| permits(&list, peer, "Square"));
            assert_eq!(found, expected, "{who}");
        }
    }

    #[test]
    fn a_rule_covers_what_it_names_only_and_a_denial_wins() {
        let here = tcp("10.1.2.3:4");
        for (what, square, cal) in [
            ("Calculate.Square", true, false),
            ("Calculate.*", true, true),
            ("*", true, true),
            ("Calculate.Square Calculate.Cal", true, true),
            ("Other.*", false, false),
            ("Calculate.square", false, false),
        ] {
            let list = format!("allow * {what}");
            assert_eq!((permits(&list, &here, "Square"), permits(&list, &here, "Cal")), (square, cal), "{what}");
        }
        // A service's name may have a dot: that of a version.
        let list = AccessList::parse("allow * Calculate.v2.Square Calculate.v3.*").expect("a list");
        let list = Arc::new(list);
        let grants = |service: &str, method: &str| list.clone().grants(&here).permit(service, method.as_bytes());
        assert!(grants("Calculate.v2", "Square") && grants("Calculate.v3", "Cal"));
        assert!(!grants("Calculate.v2", "Cal") && !grants("Calculate", "Square") && !grants("Calculate", "v2.Square"));
        let list = "deny addr:10.0.0.0/8 Calculate.Cal\nallow * *  # all others";
        assert_eq!((permits(list, &here, "Square"), permits(list, &here, "Cal")), (true, false));
    }

    #[test]
    fn a_wrong_line_is_named_with_what_is_wrong_and_the_form() {
        for (line, why) in [
            ("permit * *", "\"permit\" is neither allow nor deny"),
            ("allow", "it says not who"),
            ("allow *", "it says not what"),
            ("allow alice *", "\"alice\" is nobody"),
            ("allow cert: *", "\"cert:\" is nobody"),
            ("allow addr:10.0.0.0/99 *", "\"10.0.0.0/99\" is no address and no range"),
            ("allow unix:no-such-user-here *", "there is no user \"no-such-user-here\""),
            ("allow * Square", "\"Square\" is no method"),
            ("allow * Calculate.", "\"Calculate.\" is no method"),
        ] {
            let error = AccessList::parse(&format!("# a comment\n{line}\n")).expect_err(line);
            assert!(error.starts_with(&format!("line 2: {why}")) && error.contains("write "), "{error}");
        }
    }
}
