//! The values of the vectors, made here a second time: idl/vectors/conformance.py makes them in Python.

use crate::idl::conformance::{Choice, Chosen, Colour, Containers, Everything, Optionals, Point, Scalars, Tree};
use std::collections::{BTreeMap, BTreeSet};
use thrift::OrderedFloat;

/// The value of that name.
pub(crate) fn everything(name: &str) -> Option<Everything> {
    let value = match name {
        "least" => only(zeros()),
        "full" => full(),
        "most" => Everything { farthest: Some(false), ..only(extremes(true)) },
        "minima" => Everything { far: Some(String::new()), ..only(extremes(false)) },
        "empties" => empties(),
        "gaps" => gaps(),
        "nan" => nan(),
        "minus_zero" => minus_zero(),
        "flags" => contain(Containers { flags: Some((0..100).map(|i| i % 3 == 0).collect()), ..no_containers() }),
        "keys" => keys(),
        "scripts" => scripts(),
        "many" => many(),
        "deep" => Everything { tree: Some(chain(25)), ..only(zeros()) },
        _ => return None,
    };
    Some(value)
}

/// Bytes of a pattern.
fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|i| (31 * i + length) as u8).collect()
}

fn only(scalars: Scalars) -> Everything {
    Everything::new(scalars, None, None, None, None, None, None)
}

fn zeros() -> Scalars {
    Scalars::new(false, 0, 0, 0, 0, OrderedFloat(0.0), String::new(), Vec::new(), Colour::RED)
}

fn extremes(most: bool) -> Scalars {
    if most {
        let real = OrderedFloat(f64::MAX);
        Scalars::new(true, i8::MAX, i16::MAX, i32::MAX, i64::MAX, real, String::new(), Vec::new(), Colour::RED)
    } else {
        let real = OrderedFloat(f64::MIN);
        Scalars::new(false, i8::MIN, i16::MIN, i32::MIN, i64::MIN, real, String::new(), Vec::new(), Colour::RED)
    }
}

fn no_containers() -> Containers {
    Containers {
        flags: Some(Vec::new()),
        numbers: Some(BTreeSet::new()),
        table: Some(BTreeMap::new()),
        matrix: Some(Vec::new()),
        nested: Some(BTreeMap::new()),
        tables: Some(Vec::new()),
        maps: Some(BTreeMap::new()),
        points: Some(Vec::new()),
        blobs: Some(Vec::new()),
        colours: Some(BTreeMap::new()),
        words: Some(BTreeSet::new()),
    }
}

fn full() -> Everything {
    let text = "text · текст".to_string();
    let scalars = Scalars::new(true, -5, -300, 70_000, -(1 << 40), OrderedFloat(1.5), text, binary(20), Colour::VIOLET);
    let containers = Containers {
        numbers: Some(BTreeSet::from([3, -1, 70_000])),
        table: Some(named([("one", 1), ("two", -2)])),
        matrix: Some(vec![vec![1, 2], vec![], vec![3]]),
        nested: Some(named([("a", vec![BTreeSet::from([1, 2]), BTreeSet::new()]), ("b", Vec::new())])),
        tables: Some(vec![BTreeMap::from([(1, "one".to_string())]), BTreeMap::new()]),
        maps: Some(BTreeMap::from([(8, named([("half", OrderedFloat(0.5))])), (7, BTreeMap::new())])),
        points: Some(vec![Point::new(1, 2), Point::new(-1, -2)]),
        blobs: Some(vec![vec![0, 0xff], Vec::new()]),
        colours: Some(named([("grass", Colour::GREEN), ("violets", Colour::BLUE)])),
        words: Some(BTreeSet::from(["to".to_string(), "be".to_string()])),
        ..no_containers()
    };
    let leaf = |value| Box::new(Tree::new(value, Vec::new()));
    let three = Box::new(Tree::new(3, vec![leaf(0)]));
    let choices = [
        Choice::Flag(false),
        Choice::Large(i64::MIN),
        Choice::Text(String::new()),
        Choice::Numbers(vec![1, -1, i32::MAX]),
        Choice::Point(Point::new(-1, 1)),
    ];
    let extras = Optionals {
        flag: Some(true),
        tiny: Some(1),
        small: Some(2),
        medium: Some(3),
        large: Some(4),
        real: Some(OrderedFloat(-0.5)),
        text: Some("five".into()),
        blob: Some(vec![0x80]),
        colour: Some(Colour::RED),
        point: Some(Point::new(0, -1)),
        numbers: Some(vec![6]),
    };
    Everything {
        containers: Some(containers),
        tree: Some(Tree::new(1, vec![leaf(2), three])),
        choices: Some(choices.map(Chosen::new).into()),
        extras: Some(extras),
        far: Some("300".into()),
        farthest: Some(true),
        ..only(scalars)
    }
}

fn absent() -> Optionals {
    Optionals::new(None, None, None, None, None, None, None, None, None, None, None)
}

fn empties() -> Everything {
    let extras = Optionals {
        flag: Some(false),
        tiny: Some(0),
        small: Some(0),
        medium: Some(0),
        large: Some(0),
        real: Some(OrderedFloat(0.0)),
        text: Some(String::new()),
        blob: Some(Vec::new()),
        numbers: Some(Vec::new()),
        ..absent()
    };
    let containers = Some(no_containers());
    Everything { containers, choices: Some(Vec::new()), extras: Some(extras), ..only(zeros()) }
}

fn gaps() -> Everything {
    let extras = Optionals { tiny: Some(-1), real: Some(OrderedFloat(-0.25)), numbers: Some(vec![0]), ..absent() };
    Everything { extras: Some(extras), farthest: Some(true), ..only(zeros()) }
}

fn nan() -> Everything {
    let reals = [("nan", f64::NAN), ("inf", f64::INFINITY), ("minus", f64::NEG_INFINITY)];
    let reals = named(reals.map(|(name, real)| (name, OrderedFloat(real))));
    let containers = Containers { maps: Some(BTreeMap::from([(0, reals)])), ..no_containers() };
    let scalars = Scalars { real: Some(OrderedFloat(f64::NAN)), ..zeros() };
    Everything { containers: Some(containers), ..only(scalars) }
}

fn minus_zero() -> Everything {
    let minus_zero = OrderedFloat(-0.0);
    let containers = Containers { maps: Some(BTreeMap::from([(0, named([("", minus_zero)]))])), ..no_containers() };
    Everything { containers: Some(containers), ..only(Scalars { real: Some(minus_zero), ..zeros() }) }
}

fn keys() -> Everything {
    contain(Containers {
        tables: Some(vec![BTreeMap::from([(-1, String::new()), (i32::MAX, String::new())])]),
        maps: Some(BTreeMap::from([(i64::MIN, BTreeMap::new()), ((1 << 53) + 1, BTreeMap::new())])),
        ..no_containers()
    })
}

fn contain(containers: Containers) -> Everything {
    Everything { containers: Some(containers), ..only(zeros()) }
}

fn scripts() -> Everything {
    let table = (0..).zip(TEXTS).map(|(i, text)| (text.to_string(), i)).collect();
    let words = TEXTS.map(str::to_string).into();
    let containers = Containers { table: Some(table), words: Some(words), ..no_containers() };
    Everything { containers: Some(containers), ..only(zeros()) }
}

fn many() -> Everything {
    let containers = Containers {
        numbers: Some((0..2000).map(|i| i * 7919).collect()),
        table: Some((0..500).map(|i| (format!("key {i}"), i * i)).collect()),
        matrix: Some((0..20).map(|i| (0..i).collect()).collect()),
        blobs: Some((0..40).map(binary).collect()),
        ..no_containers()
    };
    let scalars = Scalars { blob: Some(binary(3000)), text: Some("x".repeat(3000)), ..zeros() };
    Everything { containers: Some(containers), ..only(scalars) }
}

fn chain(depth: i32) -> Tree {
    let children = if depth > 0 { vec![Box::new(chain(depth - 1))] } else { Vec::new() };
    Tree::new(depth, children)
}

fn named<V, const N: usize>(entries: [(&str, V); N]) -> BTreeMap<String, V> {
    entries.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

const TEXTS: [&str; 20] = [
    "",
    "The quick brown fox",
    "Съешь ещё этих мягких булок",
    "Ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία",
    "視野無限廣,窗外有藍天",
    "다람쥐 헌 쳇바퀴에 타고파",
    "いろはにほへと ちりぬるを",
    "ऋषियों को सताने वाले",
    "เป็นมนุษย์สุดประเสริฐ",
    "نص حكيم له سر قاطع",
    "דג סקרן שט בים",
    "abc \u{202e}אבג\u{202c} 123",
    "e\u{301} n\u{303} Z\u{351}\u{36b}\u{343}\u{36a}\u{302}",
    "\u{e9} \u{f1}",
    "𝄞 𐍈 𠜎",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳",
    "\u{10ffff} \u{ffff} \u{fffd} \u{feff}",
    "before\0after",
    "\t\r\n\u{1}\u{7f}\u{85}\u{2028}",
    "\u{7f}\u{80}\u{7ff}\u{800}",
];
