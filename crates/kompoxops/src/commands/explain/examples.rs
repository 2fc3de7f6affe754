//! Examples for codes of findings: the least text that has the finding, and what to do instead. The tests of
//! this file read every one of them.

/// An example of a finding.
#[derive(Debug)]
pub(super) struct Example {
    id: &'static str,
    /// A Compose file.
    pub(super) compose: &'static str,
    /// What to do, as a sentence.
    pub(super) remedy: &'static str,
}

/// The example of a code, where there is one.
pub(super) fn find(id: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.id == id)
}

const fn example(id: &'static str, compose: &'static str, remedy: &'static str) -> Example {
    Example { id, compose, remedy }
}

const EXAMPLES: &[Example] = &[
    example(
        "KPX7002",
        "services: {web: {image: nginx}",
        "Correct the YAML at the place named; often a bracket, quote or indentation is missing.",
    ),
    example(
        "KPX7004",
        "services:\n  web: {image: nginx}\n  web: {image: httpd}",
        "Remove one of the two keys.",
    ),
    example("KPX7009", "# nothing yet", "Write at least one service below `services`."),
    example(
        "KPX7101",
        "services: {web: {image: \"nginx:${TAG\"}}",
        "Close the brace, or write `$$` for a literal dollar sign.",
    ),
    example(
        "KPX7102",
        "services: {web: {image: \"nginx:${TAG:?say which}\"}}",
        "Set the variable in the environment or in `.env`.",
    ),
    example(
        "KPX7103",
        "services: {web: {image: \"nginx$TAG\"}}",
        "Set the variable, or give it a default: `${TAG:-latest}`.",
    ),
    example(
        "KPX7201",
        "services: {web: {image: nginx, enviroment: {}}}",
        "Correct the spelling; keys of your own begin with `x-`.",
    ),
    example(
        "KPX7204",
        "services: {web: {image: nginx, ports: \"80:80\"}}",
        "Write a value of the type that the message names.",
    ),
    example(
        "KPX7205",
        "services: {web: {image: nginx, restart: sometimes}}",
        "Write one of the values that the message names.",
    ),
    example("KPX7206", "name: app", "Add the key that is missing."),
    example("KPX7208", "services: {web: {image: nginx, init: yes}}", "Write `true` or `false`."),
    example(
        "KPX7209",
        "services: {web: {image: nginx, environment: {VERSION: 1.10}}}",
        "Put the value in quotes to keep it as it is written.",
    ),
    example(
        "KPX7301",
        "services: {web: {image: nginx, command: a && b}}",
        "Start a shell: `command: [sh, -c, \"a && b\"]`.",
    ),
    example(
        "KPX7302",
        "services: {web: {image: nginx, command: echo it's}}",
        "Close the quote, or write the command as a list of words.",
    ),
    example(
        "KPX7401",
        "services: {web: {image: nginx, env_file: nowhere.env}}",
        "Supply the file, or write `{path: nowhere.env, required: false}`.",
    ),
    example(
        "KPX7403",
        "services: {web: {image: nginx, environment: [TOKEN]}}",
        "Set the variable where the app is started, or give it a value.",
    ),
    example("KPX7501", "services: {web: {command: [a]}}", "Name the image to run with `image`."),
    example(
        "KPX7502",
        "services: {web: {image: nginx, volumes: [\"data:/data\"]}}",
        "Declare the volume: `volumes: {data: {}}` at the top level.",
    ),
    example(
        "KPX7503",
        "services: {web: {image: nginx, depends_on: [db]}}",
        "Add the service, or correct its name.",
    ),
    example(
        "KPX7505",
        "services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}",
        "Remove one of the dependencies.",
    ),
    example(
        "KPX7506",
        "services: {web: {image: nginx, networks: [back]}}",
        "Declare the network: `networks: {back: {}}` at the top level.",
    ),
    example(
        "KPX7507",
        "services: {web: {image: nginx, volumes: [\"data:/run\"], tmpfs: /run}}\nvolumes: {data: {}}",
        "Mount one thing at each place.",
    ),
    example(
        "KPX7508",
        "services: {web: {image: nginx, container_name: web, scale: 2}}",
        "Remove `container_name`, or run one replica.",
    ),
    example(
        "KPX7801",
        "services: {web: {image: nginx, logging: {driver: json-file}}}",
        "Nothing to do: the key can stay.",
    ),
    example(
        "KPX7802",
        "services: {web: {image: nginx, oom_score_adj: -500}}",
        "Remove the key, or use `deploy.resources`.",
    ),
    example(
        "KPX7803",
        "services: {web: {image: nginx, ulimits: {nofile: 65536}}}",
        "Remove the key; where the limit is needed, set it in the runtime of the nodes.",
    ),
    example(
        "KPX7804",
        "services: {web: {image: nginx, devices: [/dev/dri]}}",
        "Install a device plugin and ask for its resource: `x-kompox: {resources: {limits: {gpu.intel.com/i915: 1}}}`.",
    ),
    example(
        "KPX7805",
        "services: {web: {image: nginx, external_links: [db]}}",
        "Remove the link and use the DNS name of the other service.",
    ),
    example(
        "KPX7806",
        "services: {web: {image: nginx, mac_address: \"02:42:ac:11:65:43\"}}",
        "Remove the key.",
    ),
    example(
        "KPX7809",
        "services: {web: {image: nginx, use_api_socket: true}}",
        "Run a program that does not need the Docker Engine.",
    ),
    example(
        "KPX7811",
        "services: {web: {image: nginx, models: {llm: }}}\nmodels: {llm: {model: ai/smollm2}}",
        "Serve the model and give its URL: `x-kompox: {models: {llm: \"http://llm:8080\"}}` in the service.",
    ),
    example(
        "KPX7812",
        "services: {web: {image: nginx}}\njobs: {j: {image: i, triggers: {}}}",
        "Write a CronJob, or a service with `restart: \"no\"`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_compose::{Input, NoFiles, SourceFile, parse};
    use std::collections::BTreeMap;

    #[test]
    fn every_example_has_its_finding() {
        for example in EXAMPLES {
            let files = [SourceFile { name: "compose.yml".into(), text: example.compose.into() }];
            let environment = BTreeMap::new();
            let parsed = parse(&Input {
                files: &files,
                environment: &environment,
                profiles: &[],
                provider: &NoFiles,
                project_name: None,
                variables: kompox_compose::Variables::default(),
            });
            let mut found = parsed.diagnostics;
            if let (Some(model), Some(project)) = (&parsed.model, &parsed.project) {
                found.extend(kompox_core::app::matrix::constant(model, project));
            }
            assert!(found.iter().any(|found| found.code.id == example.id), "{}: {found:?}", example.id);
            assert!(example.remedy.ends_with('.'), "{}", example.id);
        }
        assert!(EXAMPLES.is_sorted_by(|a, b| a.id < b.id));
    }
}
