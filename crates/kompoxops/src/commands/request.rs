//! From arguments and files to a [`Request`]: what `up` and `render` share. Talks to no cluster.

use std::collections::BTreeMap;
use std::path::Path;

use kompox_crds::names;

use crate::arguments::{AppArguments, DiskArguments, FileArguments};
use crate::compose_input::{self, Input, Sources};
use crate::failure::Failure;
use crate::generate::{DiskRequest, Namespace, Request, Route};
use crate::naming;

/// Longest name of an app: its objects' names add to it and may not exceed 63 characters.
const LONGEST_NAME: usize = 40;

/// Longest workspace: it is a label's value and a DNS label.
const LONGEST_WORKSPACE: usize = 63;

/// Reads what the arguments name.
///
/// # Errors
/// When a file cannot be read, the Compose project has errors (they are printed with file and line), or an
/// option's value does not fit.
pub(super) fn read(arguments: &AppArguments) -> Result<Request, Failure> {
    check_label("workspace", &arguments.workspace, LONGEST_WORKSPACE)?;
    let disk = disk(&arguments.disk)?;
    let routes = arguments.routes.iter().map(|text| route(text)).collect::<Result<Vec<_>, _>>()?;
    let input = compose_input::load(sources(&arguments.files))?.checked()?;
    check_routes(&routes, &input)?;
    let name = name(arguments.name.as_deref(), input.project_name.as_deref(), &input.folder)?;
    Ok(Request {
        namespace: namespace(arguments, &name)?,
        name,
        workspace: arguments.workspace.clone(),
        disk: input.needs_disk().then_some(disk),
        compose: input.compose,
        overrides: input.overrides,
        profiles: arguments.files.profiles.clone(),
        variables: input.variables,
        files: input.files,
        named: input.named,
        routes,
        domain: arguments.domain.clone(),
        ingress_class: arguments.ingress_class.clone(),
    })
}

/// The request that stands for a file alone: every option as it is without being given.
pub(super) fn of_file(files: &FileArguments, input: Input) -> Request {
    let name = name(None, input.project_name.as_deref(), &input.folder).unwrap_or_else(|_| "app".to_owned());
    Request {
        namespace: Namespace::Existing("default".to_owned()),
        name,
        workspace: naming::WORKSPACE.to_owned(),
        disk: input.needs_disk().then(|| DiskRequest { size: "10Gi".to_owned(), ..DiskRequest::default() }),
        compose: input.compose,
        overrides: input.overrides,
        profiles: files.profiles.clone(),
        variables: input.variables,
        files: input.files,
        named: input.named,
        routes: Vec::new(),
        domain: None,
        ingress_class: None,
    }
}

/// Where the files of the arguments are.
pub(super) fn sources(files: &FileArguments) -> Sources<'_> {
    Sources {
        files: &files.files,
        env_files: &files.env_files,
        profiles: &files.profiles,
        ..Sources::default()
    }
}

/// A route to a port that nobody publishes would only fail later, on the cluster.
fn check_routes(routes: &[Route], input: &Input) -> Result<(), Failure> {
    let ports = input.published_ports();
    let Some(route) = routes.iter().find(|route| !ports.contains(&route.port)) else { return Ok(()) };
    let known: Vec<_> = ports.iter().map(ToString::to_string).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let message = format!("no service publishes port {}; published: {known}", route.port);
    Err(Failure::Option { option: "route", message })
}

fn namespace(arguments: &AppArguments, app: &str) -> Result<Namespace, Failure> {
    if let Some(name) = &arguments.namespace {
        check_label("namespace", name, 63)?;
        return Ok(Namespace::Existing(name.clone()));
    }
    let own = names::app_namespace(&arguments.workspace, app);
    own.map(Namespace::Own)
        .map_err(|error| Failure::Option { option: "workspace", message: error.to_string() })
}

fn disk(arguments: &DiskArguments) -> Result<DiskRequest, Failure> {
    check_quantity(&arguments.disk_size)?;
    Ok(DiskRequest {
        size: arguments.disk_size.clone(),
        zone: arguments.zone.clone(),
        provider: arguments.provider.clone(),
        config: pairs("config", &arguments.config)?,
        credentials_secret: arguments.credentials_secret.clone(),
        options: pairs("disk-option", &arguments.disk_options)?,
        deletion: arguments.deletion_policy,
    })
}

/// The name given, else that of the Compose file, else that of its folder.
fn name(given: Option<&str>, project: Option<&str>, folder: &Path) -> Result<String, Failure> {
    if let Some(name) = given {
        check_label("name", name, LONGEST_NAME)?;
        return Ok(name.to_owned());
    }
    let folder_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = normalized(&project.map(ToOwned::to_owned).or(folder_name).unwrap_or_default());
    if naming::is_label(&name, LONGEST_NAME) {
        return Ok(name);
    }
    let message = format!(
        "no name for the app can be made from '{name}' (folder {}); give one of at most {LONGEST_NAME} characters",
        folder.display()
    );
    Err(Failure::Option { option: "name", message })
}

/// Lower case, with `-` for what a DNS label cannot hold.
pub(super) fn normalized(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(fits).collect::<String>().trim_matches('-').to_owned()
}

fn check_label(option: &'static str, value: &str, longest: usize) -> Result<(), Failure> {
    if naming::is_label(value, longest) {
        return Ok(());
    }
    let message = format!(
        "'{value}' must be lower-case letters, digits and '-', beginning and ending with a letter or digit, at most {longest} characters"
    );
    Err(Failure::Option { option, message })
}

/// The form of a Kubernetes quantity; the API server checks the rest.
fn check_quantity(text: &str) -> Result<(), Failure> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let units = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "k", "M", "G", "T", "P"];
    let positive = text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if digits.len() < text.len() && units.contains(&digits) && positive {
        return Ok(());
    }
    let message = format!("'{text}' must be a positive whole number with a unit, such as 10Gi");
    Err(Failure::Option { option: "disk-size", message })
}

/// `KEY=VALUE` pairs; the last of two equal keys wins.
///
/// # Errors
/// When a text is no pair.
pub(super) fn pairs(option: &'static str, texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    texts.iter().map(|text| pair(option, text)).collect()
}

fn pair(option: &'static str, text: &str) -> Result<(String, String), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::Option { option, message: format!("'{text}' must be KEY=VALUE") }),
    }
}

fn route(text: &str) -> Result<Route, Failure> {
    let parsed = text.split_once('=').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    match parsed {
        Some((host, port)) if !host.is_empty() && port > 0 => Ok(Route { host: host.to_owned(), port }),
        _ => Err(Failure::Option {
            option: "route",
            message: format!(
                "'{text}' must be HOST=PORT with a published port, such as git.example.com=3000"
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_comes_from_the_option_the_file_or_the_folder() {
        let folder = Path::new("/a/My Blog");
        assert_eq!(name(Some("wiki"), Some("x"), folder).unwrap(), "wiki");
        assert_eq!(name(None, Some("my_wiki"), folder).unwrap(), "my-wiki");
        assert_eq!(name(None, None, folder).unwrap(), "my-blog");
        assert!(name(Some("My"), None, folder).is_err());
        assert!(name(None, None, Path::new("/")).is_err());
    }

    #[test]
    fn sizes_are_checked_before_anything_is_sent() {
        for good in ["10Gi", "1", "500M", "010Gi"] {
            assert!(check_quantity(good).is_ok(), "{good}");
        }
        for bad in ["", "Gi", "10gb", "-1Gi", "0", "0Gi", "1.5Gi", "10 Gi"] {
            assert_eq!(check_quantity(bad).unwrap_err().exit_code(), 3, "{bad}");
        }
    }

    #[test]
    fn pairs_and_routes_are_read_or_refused() {
        assert_eq!(pair("config", "a=b=c").unwrap(), ("a".into(), "b=c".into()));
        assert_eq!(pair("config", "a").unwrap_err().to_string(), "--config: 'a' must be KEY=VALUE");
        assert_eq!(route("h=80").unwrap(), Route { host: "h".into(), port: 80 });
        for bad in ["h", "h=", "=80", "h=0", "h=70000", "h=x"] {
            assert!(route(bad).is_err(), "{bad}");
        }
    }
}
