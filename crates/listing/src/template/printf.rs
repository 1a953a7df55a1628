//! `printf`: Go's verbs, flags, widths and precisions, and what it prints in place of mistakes.

use serde_json::Value as Json;

use super::print;
use super::value::{Kind, Value, kind, sorted};
use crate::shape::Shape;

/// Widths and precisions beyond this are mistakes, to Go, too.
const LARGEST: i64 = 1_000_000;

/// What a verb is printed with.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    blank: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// The text of a format, in which each verb takes the next value.
///
/// A mistake is no error: as in Go, it is printed where its value would be, as `%!d(string=a)` or `%!d(MISSING)`.
pub(super) fn printf(format: &str, values: &[Value<'_>]) -> String {
    let mut formatting = Formatting {
        rest: format,
        values,
        next: 0,
        is_reordered: false,
        is_good_index: true,
    };
    let mut out = String::new();
    while let Some((before, behind)) = formatting.rest.split_once('%') {
        out.push_str(before);
        formatting.rest = behind;
        formatting.verb(&mut out);
    }
    out.push_str(formatting.rest);
    let extra = values.get(formatting.next..).unwrap_or_default();
    if !formatting.is_reordered && !extra.is_empty() {
        let extra: Vec<String> = extra
            .iter()
            .map(|value| match value.kind() {
                Kind::Nothing => "<nil>".to_owned(),
                _ => format!(
                    "{}={}",
                    value.type_name(),
                    print::text(&value.json, value.shape)
                ),
            })
            .collect();
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

struct Formatting<'f> {
    rest: &'f str,
    values: &'f [Value<'f>],
    next: usize,
    /// Whether a verb named its value, so that others may be left over.
    is_reordered: bool,
    is_good_index: bool,
}

impl Formatting<'_> {
    fn verb(&mut self, out: &mut String) {
        let mut flags = self.flags();
        self.is_good_index = true;
        let mut behind_index = self.index();
        if self.skip('*') {
            let width = self.star();
            match width {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.width = Some(usize::try_from(width.unsigned_abs()).unwrap_or_default());
                }
                None => out.push_str("%!(BADWIDTH)"),
            }
            behind_index = false;
        } else {
            flags.width = self.number(out, "%!(BADWIDTH)");
            if behind_index && flags.width.is_some() {
                self.is_good_index = false;
            }
        }
        if self.skip('.') {
            if behind_index {
                self.is_good_index = false;
            }
            behind_index = self.index();
            if self.skip('*') {
                match self.star() {
                    // A precision below zero is none.
                    Some(precision) => flags.precision = usize::try_from(precision).ok(),
                    None => out.push_str("%!(BADPREC)"),
                }
                behind_index = false;
            } else {
                flags.precision = Some(self.number(out, "%!(BADPREC)").unwrap_or_default());
            }
        }
        if !behind_index {
            self.index();
        }
        let mut characters = self.rest.chars();
        let Some(verb) = characters.next() else {
            out.push_str("%!(NOVERB)");
            return;
        };
        self.rest = characters.as_str();
        if verb == '%' {
            out.push('%');
        } else if !self.is_good_index {
            out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(value) = self.values.get(self.next) {
            self.next += 1;
            out.push_str(&formatted(verb, flags, &value.json, value.shape, true));
        } else {
            out.push_str(&format!("%!{verb}(MISSING)"));
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        loop {
            match self.rest.as_bytes().first() {
                Some(b'+') => flags.plus = true,
                Some(b'-') => flags.minus = true,
                Some(b'#') => flags.sharp = true,
                Some(b' ') => flags.blank = true,
                Some(b'0') => flags.zero = true,
                _ => return flags,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn skip(&mut self, character: char) -> bool {
        let behind = self.rest.strip_prefix(character);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    /// `[3]`, which makes the third value the next.
    fn index(&mut self) -> bool {
        let Some(behind) = self.rest.strip_prefix('[') else {
            return false;
        };
        self.is_reordered = true;
        let Some((number, behind)) = behind.split_once(']') else {
            self.is_good_index = false;
            return false;
        };
        self.rest = behind;
        match number.parse::<usize>() {
            Ok(number @ 1..) if number <= self.values.len() => {
                self.next = number - 1;
                true
            }
            _ => {
                self.is_good_index = false;
                false
            }
        }
    }

    /// The next value, where it is a width or a precision.
    fn star(&mut self) -> Option<i64> {
        let value = self.values.get(self.next)?;
        self.next += 1;
        match value.kind() {
            Kind::Int(number) if number.abs() <= LARGEST => Some(number),
            _ => None,
        }
    }

    fn number(&mut self, out: &mut String, wrong: &str) -> Option<usize> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        if digits.is_empty() {
            return None;
        }
        self.rest = rest;
        let number = digits.parse::<i64>().ok().filter(|&n| n <= LARGEST);
        if number.is_none() {
            out.push_str(wrong);
        }
        number.and_then(|number| usize::try_from(number).ok())
    }
}

/// A value by a verb; of what has entries each of them.
fn formatted(verb: char, flags: Flags, json: &Json, shape: Shape, is_whole: bool) -> String {
    let bad = || bad_verb(verb, json, shape);
    if verb == 'T' && is_whole {
        let name = Value::new(json, shape).type_name();
        return padded(&name, flags, false);
    }
    let value = kind(json, shape);
    if shape == Shape::Duration && matches!(verb, 'v' | 's') {
        return padded(&print::text(json, shape), flags, false);
    }
    if is_spelled(shape)
        && !json.is_null()
        && !(verb == 'v' && flags.sharp)
        && let Some(text) = string(verb, flags, &print::text(json, shape))
    {
        return text;
    }
    // Of `%+v` and `%#v` the flags say how objects are printed, and nothing of numbers.
    let signs = match verb {
        'v' => Flags {
            plus: false,
            sharp: false,
            ..flags
        },
        _ => flags,
    };
    match value {
        Kind::Nothing | Kind::Nil if verb == 'v' => padded("<nil>", flags, false),
        Kind::Nothing | Kind::Nil => format!("%!{verb}(<nil>)"),
        Kind::Bool(value) => match verb {
            't' | 'v' => padded(&value.to_string(), flags, false),
            _ => bad(),
        },
        Kind::Int(value) => integer(verb, signs, value.into()).unwrap_or_else(bad),
        Kind::Uint(value) => integer(verb, signs, value.into()).unwrap_or_else(bad),
        Kind::Float(value) => float(verb, signs, value).unwrap_or_else(bad),
        Kind::Text(text) => string(verb, flags, &text).unwrap_or_else(bad),
        Kind::Time(_) => string(verb, flags, &print::text(json, shape)).unwrap_or_else(bad),
        Kind::List(entries, shape) => {
            let texts: Vec<String> = entries
                .iter()
                .map(|entry| formatted(verb, flags, entry, shape, false))
                .collect();
            format!("[{}]", texts.join(" "))
        }
        Kind::Map(entries, shape) => {
            let texts: Vec<String> = sorted(entries)
                .into_iter()
                .map(|(key, entry)| {
                    let key = string(verb, flags, key)
                        .unwrap_or_else(|| format!("%!{verb}(string={key})"));
                    format!("{key}:{}", formatted(verb, flags, entry, shape, false))
                })
                .collect();
            format!("map[{}]", texts.join(" "))
        }
        Kind::Struct(_, fields) => {
            let texts: Vec<String> = fields
                .iter()
                .map(|field| {
                    let value = match field.is_embedded {
                        true => json,
                        false => json.get(field.key).unwrap_or(&Json::Null),
                    };
                    let text = formatted(verb, flags, value, field.shape, false);
                    match verb == 'v' && (flags.plus || flags.sharp) {
                        true => format!("{}:{text}", field.name),
                        false => text,
                    }
                })
                .collect();
            format!("{{{}}}", texts.join(" "))
        }
    }
}

/// Whether the type has a text of its own, which Go takes for the verbs of texts.
fn is_spelled(shape: Shape) -> bool {
    match shape {
        Shape::Pointer(inner) => is_spelled(*inner),
        shape => matches!(shape, Shape::Spelled(..)),
    }
}

fn bad_verb(verb: char, json: &Json, shape: Shape) -> String {
    let name = Value::new(json, shape).type_name();
    format!("%!{verb}({name}={})", print::text(json, shape))
}

fn integer(verb: char, flags: Flags, value: i128) -> Option<String> {
    let (digits, prefix) = match verb {
        'd' | 'v' => (value.unsigned_abs().to_string(), ""),
        'b' => (format!("{:b}", value.unsigned_abs()), "0b"),
        'o' => (format!("{:o}", value.unsigned_abs()), "0"),
        'O' => (format!("{:o}", value.unsigned_abs()), "0o"),
        'x' => (format!("{:x}", value.unsigned_abs()), "0x"),
        'X' => (format!("{:X}", value.unsigned_abs()), "0X"),
        'c' => return Some(padded(&character(value).to_string(), flags, false)),
        'q' => {
            let quoted = format!(
                "'{}'",
                escaped(&character(value).to_string(), '\'', flags.plus)
            );
            return Some(padded(&quoted, flags, false));
        }
        'U' => {
            let shown = match (
                flags.sharp,
                u32::try_from(value).ok().and_then(char::from_u32),
            ) {
                (true, Some(character)) => format!("U+{value:04X} '{character}'"),
                _ => format!("U+{value:04X}"),
            };
            return Some(padded(&shown, flags, false));
        }
        _ => return None,
    };
    let prefix = match (verb, flags.sharp) {
        ('O', _) => prefix,
        (_, true) => prefix,
        _ => "",
    };
    let digits = match flags.precision {
        // Go prints nothing for a zero of no digits.
        Some(0) if value == 0 => return Some(padded("", flags, false)),
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    };
    let sign = sign(value < 0, flags);
    Some(numeric(
        sign,
        prefix,
        &digits,
        flags,
        flags.precision.is_none(),
    ))
}

fn character(value: i128) -> char {
    let code = u32::try_from(value).ok();
    code.and_then(char::from_u32).unwrap_or('\u{fffd}')
}

fn sign(is_negative: bool, flags: Flags) -> &'static str {
    match (is_negative, flags.plus, flags.blank) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

/// Digits with what is before them, to which zeros may be added on the left.
fn numeric(sign: &str, prefix: &str, digits: &str, flags: Flags, may_have_zeros: bool) -> String {
    match flags.width {
        Some(width) if flags.zero && !flags.minus && may_have_zeros => {
            let width = width.saturating_sub(sign.len());
            format!("{sign}{prefix}{digits:0>width$}")
        }
        _ => padded(&format!("{sign}{prefix}{digits}"), flags, false),
    }
}

fn float(verb: char, flags: Flags, value: f64) -> Option<String> {
    let magnitude = value.abs();
    let digits = match (verb, flags.precision) {
        ('v', None) | ('g' | 'G', None) => print::float(magnitude),
        ('v' | 'g' | 'G', Some(precision)) => shortest(magnitude, precision.clamp(1, 400)),
        ('e' | 'E', precision) => scientific(magnitude, precision.unwrap_or(6)),
        ('f' | 'F', precision) => format!("{magnitude:.*}", precision.unwrap_or(6)),
        _ => return None,
    };
    let digits = match verb {
        'E' | 'G' => digits.to_uppercase(),
        _ => digits,
    };
    let sign = sign(value.is_sign_negative(), flags);
    Some(numeric(sign, "", &digits, flags, true))
}

fn scientific(value: f64, precision: usize) -> String {
    let text = format!("{value:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent = exponent.parse().unwrap_or_default();
    format!("{digits}e{}", print::exponent_text(exponent))
}

/// At most as many digits, without zeros at the end, with an exponent where that is shorter.
fn shortest(value: f64, precision: usize) -> String {
    let text = scientific(value, precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = exponent.parse().unwrap_or_default();
    let trimmed = |digits: &str| match digits.contains('.') {
        true => digits
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
        false => digits.to_owned(),
    };
    let decimals = i32::try_from(precision).unwrap_or(i32::MAX) - 1 - power;
    match usize::try_from(decimals) {
        Ok(decimals) if power >= -4 => trimmed(&format!("{value:.decimals$}")),
        _ => format!("{}e{exponent}", trimmed(digits)),
    }
}

fn string(verb: char, flags: Flags, text: &str) -> Option<String> {
    let cut: String = match flags.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    Some(match verb {
        'v' if flags.sharp => padded(&quoted(&cut, false), flags, true),
        's' | 'v' => padded(&cut, flags, true),
        'q' if flags.sharp && !cut.contains('`') && !cut.contains(char::is_control) => {
            padded(&format!("`{cut}`"), flags, true)
        }
        'q' => padded(&quoted(&cut, flags.plus), flags, true),
        'x' | 'X' => {
            let bytes = match flags.precision {
                Some(precision) => &text.as_bytes()[..precision.min(text.len())],
                None => text.as_bytes(),
            };
            let digits: Vec<String> = bytes
                .iter()
                .map(|byte| match verb {
                    'x' => format!("{byte:02x}"),
                    _ => format!("{byte:02X}"),
                })
                .collect();
            let prefix = match (flags.sharp, verb) {
                (true, 'x') if !digits.is_empty() => "0x",
                (true, _) if !digits.is_empty() => "0X",
                _ => "",
            };
            let text = match flags.blank {
                true => digits
                    .iter()
                    .map(|digits| format!("{prefix}{digits}"))
                    .collect::<Vec<_>>()
                    .join(" "),
                false => format!("{prefix}{}", digits.concat()),
            };
            padded(&text, flags, true)
        }
        _ => return None,
    })
}

/// The text in quotes, as Go would write it in a program.
fn quoted(text: &str, is_ascii: bool) -> String {
    format!("\"{}\"", escaped(text, '"', is_ascii))
}

fn escaped(text: &str, quote: char, is_ascii: bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{7}' => escaped.push_str("\\a"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{c}' => escaped.push_str("\\f"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{b}' => escaped.push_str("\\v"),
            '\\' => escaped.push_str("\\\\"),
            character if character == quote => escaped.extend(['\\', character]),
            character if character.is_ascii_control() => {
                escaped.push_str(&format!("\\x{:02x}", u32::from(character)));
            }
            character if character.is_control() || (is_ascii && !character.is_ascii()) => {
                let code = u32::from(character);
                escaped.push_str(&match code {
                    0..=0xffff => format!("\\u{code:04x}"),
                    code => format!("\\U{code:08x}"),
                });
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// The text in as many columns, each a character.
fn padded(text: &str, flags: Flags, is_text: bool) -> String {
    let Some(width) = flags.width else {
        return text.to_owned();
    };
    match (flags.minus, flags.zero && is_text) {
        (true, _) => format!("{text:<width$}"),
        (_, true) => format!("{text:0>width$}"),
        _ => format!("{text:>width$}"),
    }
}
