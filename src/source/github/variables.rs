//! Names of configuration variables. Their values are in the API's answers and are not read.

use serde::Deserialize;

use super::super::error::{Cause, Error};
use super::limits::advised;
use super::paging::page;
use super::{GitHub, part, path_of};
use crate::task::Deadline;

/// Where a variable may be defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableScope<'a> {
    /// A deployment environment; it wins over the repository.
    Environment(&'a str),
    /// The repository; it wins over the organisation.
    Repository,
    /// The organisation, as far as it shares variables with the repository.
    Organization,
}

impl VariableScope<'_> {
    /// For people: `repository`.
    pub fn word(self) -> String {
        match self {
            Self::Environment(name) => format!("environment {name}"),
            Self::Repository => "repository".to_owned(),
            Self::Organization => "organisation".to_owned(),
        }
    }
}

const NEEDS: &str = "use the token of a GitHub App or a fine-grained one with Variables: read and Environments: read (repository) as \
                     github-token; the workflow's own token can not have them";

#[derive(Deserialize)]
struct Named {
    name: String,
}

page!(VariablePage, Named, "variables");

impl GitHub {
    /// The names of the variables of one scope.
    ///
    /// # Errors
    /// As [`GitHub::reply`]. A refusal and a 404 may mean that the token lacks a permission: neither proves that a variable is missing.
    pub async fn variables(
        &self,
        repository: &str,
        scope: VariableScope<'_>,
        deadline: Deadline,
    ) -> Result<Vec<String>, Error> {
        let repo = path_of(repository);
        // GitHub gives at most 30 variables a page.
        let path = match scope {
            VariableScope::Environment(name) => {
                format!("/repos/{repo}/environments/{}/variables?per_page=30", part(name))
            }
            VariableScope::Repository => format!("/repos/{repo}/actions/variables?per_page=30"),
            VariableScope::Organization => {
                format!("/repos/{repo}/actions/organization-variables?per_page=30")
            }
        };
        let tried = format!("list the variables of {repository} ({})", scope.word());
        let found = self.list::<VariablePage>(&tried, &path, deadline).await;
        found.map(|all| all.into_iter().map(|v| v.name).collect()).map_err(|error| {
            let refused =
                matches!(error.cause(), Cause::Permission { .. }) || error.status() == Some(404);
            if refused { error.with_help(NEEDS) } else { advised(error) }
        })
    }
}
