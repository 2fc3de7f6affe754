//! Made files of growing size: whether the time grows with them and no faster.

use super::{library::Case, median_of, milliseconds, process::Converter};
use anyhow::{Context as _, Result};
use kompox_core::app::{Content, Facts, SecretText};
use serde_json::json;
use std::{collections::BTreeMap, fmt::Write as _};

/// Conversions of each file.
const REPETITIONS: usize = 9;
/// How much of the thing that grows.
const SIZES: [usize; 4] = [50, 100, 200, 500];

/// Makes a project with so much of one thing.
type Make = fn(usize) -> Texts;

/// What grows, and the Compose file and its override with so much of it.
const SHAPES: [(&str, Make); 3] =
    [("services", services), ("extending services", extending), ("merged entries", entries)];

/// A Compose file and its override.
struct Texts {
    file: String,
    over: String,
}

/// Prints the time per thing for every shape, and the processes on the largest file.
///
/// # Errors
/// When a made file is refused.
pub(super) fn growth() -> Result<()> {
    println!("\ngrowth, library, median of {REPETITIONS} conversions, µs for each");
    print!("{:<20}", "");
    SIZES.iter().for_each(|size| print!("{size:>9}"));
    println!("{:>12}", "last/first");
    for (what, make) in SHAPES {
        let each = SIZES.iter().map(|&size| {
            let case = case(make(size))?;
            let time = median_of(REPETITIONS, || case.convert()).with_context(|| format!("{size} {what}"))?;
            Ok(milliseconds(time) * 1e3 / size as f64)
        });
        let each = each.collect::<Result<Vec<f64>>>()?;
        print!("{what:<20}");
        each.iter().for_each(|time| print!("{time:>9.1}"));
        let (first, last) = (each.first().context("no sizes")?, each.last().context("no sizes")?);
        println!("{:>12.2}", last / first);
    }
    largest()
}

fn largest() -> Result<()> {
    let size = SIZES.into_iter().max().unwrap_or_default();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("compose.yml");
    std::fs::write(&file, services(size).file)?;
    let none = BTreeMap::new();
    let ours = Converter::ours()?.time(&file, &none)?;
    println!("\nprocess, {size} services: kompoxops {:.1} ms", milliseconds(ours));
    if let Some(kompose) = Converter::kompose() {
        let theirs = kompose.time(&file, &none)?;
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        println!("process, {size} services: kompose {:.1} ms, ratio {ratio:.3}", milliseconds(theirs));
    }
    Ok(())
}

fn case(texts: Texts) -> Result<Case> {
    let app = serde_json::from_value(json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": { "name": "made" },
        "spec": {
            "compose": { "configMapRef": { "name": "compose" }, "overrideKeys": ["over.yml"] },
            "volumes": [{ "name": "default", "diskRef": { "name": "default" } }],
        },
    }))?;
    let text = |text: &String| SecretText::new(text.clone().into_bytes());
    let content: Content =
        [("compose.yml".to_owned(), text(&texts.file)), ("over.yml".to_owned(), text(&texts.over))].into();
    let facts = Facts { config_maps: [("compose".to_owned(), content)].into(), ..Facts::default() };
    Ok(Case { text: texts.file, app, facts })
}

/// Services with what real ones have, each after the one before it.
fn services(count: usize) -> Texts {
    let mut file = "name: made\nservices:\n".to_owned();
    for number in 0..count {
        let _ = write!(
            file,
            "  s{number}:\n    image: registry.example.com/app/s{number}:1.2.3\n    restart: unless-stopped\n    \
             environment:\n      DATABASE_URL: postgres://user@s0:5432/db{number}\n      LOG_LEVEL: info\n    \
             ports: [\"{}:8080\"]\n    volumes: [\"data{number}:/var/lib/data\"]\n    labels:\n      \
             com.example.part: s{number}\n    healthcheck:\n      test: [CMD, wget, -q, \"http://localhost:8080\"]\n      \
             interval: 10s\n",
            10_000 + number
        );
        if let Some(before) = number.checked_sub(1) {
            let _ = writeln!(file, "    depends_on:\n      s{before}: {{condition: service_healthy}}");
        }
    }
    file.push_str("volumes:\n");
    (0..count).for_each(|number| file.push_str(&format!("  data{number}:\n")));
    Texts { file, over: "services: {}\n".to_owned() }
}

/// Services that are copies of one, with a change in a second file each.
fn extending(count: usize) -> Texts {
    let mut file =
        "name: made\nservices:\n  base:\n    image: a:1\n    environment: {A: a, B: b, C: c}\n".to_owned();
    let mut over = "services:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(file, "  s{number}:\n    extends: base\n    environment: {{D: d{number}}}");
        let _ = writeln!(over, "  s{number}: {{environment: {{C: c{number}}}}}");
    }
    Texts { file, over }
}

/// One service with lists and mappings of so many entries, half of them given again in a second file.
fn entries(count: usize) -> Texts {
    let body = |range: std::ops::Range<usize>| {
        let mut text = "services:\n  web:\n    image: a:1\n    environment:\n".to_owned();
        let each = |text: &mut String, line: fn(usize) -> String| {
            range.clone().for_each(|number| text.push_str(&line(number)));
        };
        each(&mut text, |number| format!("      VARIABLE_{number}: value\n"));
        text.push_str("    ports:\n");
        each(&mut text, |number| format!("      - \"{}:{}\"\n", 10_000 + number, 20_000 + number));
        text.push_str("    extra_hosts:\n");
        each(&mut text, |number| format!("      - \"host{number}.example.com:10.0.0.{}\"\n", number % 250));
        text.push_str("    tmpfs:\n");
        each(&mut text, |number| format!("      - /tmp/t{number}\n"));
        text
    };
    Texts { file: format!("name: made\n{}", body(0..count)), over: body(count / 2..count + count / 2) }
}
