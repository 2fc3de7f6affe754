//! Components written by hand: a driver of the smallest shape whose functions, memories and tables an attack
//! replaces. Compilers for guests would never produce most of them.

use std::collections::BTreeMap;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

/// Where the descriptor lies, and the pair of pointer and length that `describe` answers.
const DESCRIPTOR_AT: usize = 2048;
const DESCRIPTOR: &str =
    r#"{"name":"hostile","version":"1.0.0","requires":[],"providers":[{"type":"open","endpoints":[]}]}"#;

/// A bump allocator, as far as the memory reaches.
const REALLOC: &str = "(local i32)
    global.get $heap local.get 2 i32.add i32.const 1 i32.sub i32.const 0 local.get 2 i32.sub i32.and local.tee 4
    local.get 3 i32.add global.set $heap local.get 4";

/// An attack: what differs from a driver that answers every call with a trap.
#[derive(Clone, Default)]
pub(crate) struct Hostile {
    bodies: BTreeMap<String, String>,
    fields: String,
    memory: Option<String>,
    imports: String,
    encoding: StringEncoding,
}

impl Hostile {
    /// The body of an exported function, such as `kompox:driver/disk@0.1.0#plan`. `$NAME` calls the import of that
    /// name.
    pub(crate) fn body(mut self, export: &str, body: &str) -> Self {
        self.bodies.insert(export.to_owned(), body.to_owned());
        self
    }

    /// Further fields of the core module.
    pub(crate) fn field(mut self, text: &str) -> Self {
        self.fields.push_str(text);
        self
    }

    /// The core module's memory, instead of 4 MiB.
    pub(crate) fn memory(mut self, text: &str) -> Self {
        self.memory = Some(text.to_owned());
        self
    }

    /// A further import of the component's world.
    pub(crate) fn import(mut self, interface: &str) -> Self {
        self.imports.push_str(&format!("import {interface};"));
        self
    }

    /// How its text is encoded, instead of UTF-8.
    pub(crate) fn encoding(self, encoding: StringEncoding) -> Self {
        Self { encoding, ..self }
    }

    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/kompox-driver");
        resolve.push_dir(wit).expect("the contract is read");
        let world = format!(
            "package hostile:driver; interface keys {{ all: func() -> string; }}
             world hostile {{ include kompox:driver/disk-driver@0.1.0; {} }}",
            self.imports
        );
        let package = resolve.push_str("hostile.wit", &world).expect("the world is valid");
        let world = resolve.select_world(&[package], Some("hostile")).expect("it is there");
        let dummy = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
        let text = self.module(&wasmprinter::print_bytes(dummy).expect("a module is printed"));
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        wit_component::embed_component_metadata(&mut module, &resolve, world, self.encoding)
            .expect("the world is embedded");
        ComponentEncoder::default()
            .validate(false)
            .module(&module)
            .expect("a module with its world")
            .encode()
            .expect("a component")
    }

    fn module(&self, dummy: &str) -> String {
        let mut bodies = self.bodies.clone();
        bodies
            .entry("kompox:driver/identity@0.1.0#describe".to_owned())
            .or_insert("i32.const 1024".to_owned());
        bodies.entry("cabi_realloc".to_owned()).or_insert(REALLOC.to_owned());
        let by_index: BTreeMap<String, &String> =
            bodies.iter().map(|(export, body)| (exported(dummy, export), body)).collect();
        let memory = self.memory.as_deref().unwrap_or("(memory (;0;) 64)");
        let mut out = String::new();
        let mut lines = dummy.trim_end().trim_end_matches(')').trim_end().lines();
        while let Some(line) = lines.next() {
            let body = line.strip_prefix("  (func (;").and_then(|rest| by_index.get(rest.split(';').next()?));
            match body {
                Some(body)
                    if line.ends_with("))") || line.matches('(').count() == line.matches(')').count() =>
                {
                    out.push_str(&format!("{} {body})\n", line.strip_suffix(')').unwrap_or(line)));
                }
                Some(body) => {
                    lines.next();
                    out.push_str(&format!("{line}\n{body}\n"));
                }
                None if line.trim_start().starts_with("(memory ") => out.push_str(memory),
                None => out.push_str(&named(line)),
            }
            out.push('\n');
        }
        let descriptor = match self.encoding {
            StringEncoding::UTF16 => DESCRIPTOR.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            _ => DESCRIPTOR.as_bytes().to_vec(),
        };
        // In code units, which are one byte or two for one character of ASCII.
        let pair =
            [DESCRIPTOR_AT, DESCRIPTOR.len()].map(|number| escaped(&(number as u32).to_le_bytes())).concat();
        out.push_str(&format!(
            "(global $heap (mut i32) (i32.const 65536)) (data (i32.const 1024) \"{pair}\")
             (data (i32.const {DESCRIPTOR_AT}) \"{}\") {})",
            escaped(&descriptor),
            self.fields
        ));
        out
    }
}

/// The index of an exported function.
fn exported(dummy: &str, name: &str) -> String {
    let found =
        dummy.split(&format!("(export \"{name}\" (func ")).nth(1).and_then(|rest| rest.split(')').next());
    found.unwrap_or_else(|| panic!("`{name}` is not exported")).to_owned()
}

/// Gives an imported function its name, so that bodies can call it.
fn named(line: &str) -> String {
    let Some(rest) = line.trim_start().strip_prefix("(import ") else { return line.to_owned() };
    let name = rest.split('"').nth(3).unwrap_or_default();
    let module = rest.split('"').nth(1).unwrap_or_default();
    let short = module.split(['/', '@']).nth(1).unwrap_or_default();
    let name: String = format!("{short}.{name}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
        .collect();
    line.replacen("(func (;", &format!("(func ${name} (;"), 1)
}

fn escaped(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("\\{byte:02x}")).collect()
}
