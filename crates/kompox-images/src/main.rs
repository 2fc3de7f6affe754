//! Writes the images into a folder and lists them. `cargo xtask images` builds the demo service and calls it.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use kompox_images::{Options, Report};

/// Make the container images of the tests: no Docker, no registry, the same bytes every time.
#[derive(Debug, Parser)]
struct Cli {
    /// The demo service, a static executable
    #[arg(long)]
    demo: PathBuf,
    /// Folder of the archives
    #[arg(long)]
    out: PathBuf,
    /// Folder of Debian's packages [default: kompox/images in the user's cache]
    #[arg(long)]
    pool: Option<PathBuf>,
    /// Fetch newer packages where there are some
    #[arg(long)]
    update: bool,
    /// Make every image a second time and fail when its bytes differ
    #[arg(long)]
    check: bool,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let pool = cli.pool.map_or_else(default_pool, Ok)?;
    let options = Options { demo: cli.demo, out: cli.out, pool, update: cli.update };
    let report = if cli.check { kompox_images::check(&options)? } else { kompox_images::build(&options)? };
    list(&report, &options).context("failed to write the list of images")
}

fn list(report: &Report, options: &Options) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for image in &report.images {
        // Tenths of a MiB, without floating point.
        let tenths = image.size * 10 / (1 << 20);
        let size = format!("{}.{}", tenths / 10, tenths % 10);
        let digest = image.digest.get(..16).unwrap_or_default();
        let path = options.out.join(&image.file);
        writeln!(out, "{:<22}{size:>6} MiB  sha256:{digest}  {}", image.tag, path.display())?;
    }
    let made = if report.reused { "unchanged: the inputs are those of the last time" } else { "made" };
    writeln!(out, "{} images, {made}", report.images.len())
}

/// `$XDG_CACHE_HOME/kompox/images` or `~/.cache/kompox/images` (XDG Base Directory Specification).
fn default_pool() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|base| base.join("kompox/images"))
        .context(
            "there is neither XDG_CACHE_HOME nor a home folder to keep packages in; name one with --pool",
        )
}
