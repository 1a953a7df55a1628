//! The container's network and names.

use clap::Args;

use crate::values::{dns, extra_host};

/// Options about the network.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkOptions {
    /// Publish a port on the host
    #[arg(short, long, value_name = "[[IP:]HOST:]PORT[/PROTOCOL]")]
    pub(crate) publish: Vec<String>,
    /// Publish all exposed ports on free ports of the host
    #[arg(short = 'P', long)]
    pub(crate) publish_all: bool,
    /// Expose a port, or a range, to other containers
    #[arg(long, value_name = "PORT[/PROTOCOL]")]
    pub(crate) expose: Vec<String>,
    /// Network to connect to: bridge, host, none, container:NAME or a network's name
    #[arg(long, alias = "net", value_name = "NETWORK")]
    pub(crate) network: Vec<String>,
    /// Host name
    #[arg(short = 'h', long, value_name = "NAME")]
    pub(crate) hostname: Option<String>,
    /// NIS domain name
    #[arg(long, value_name = "NAME")]
    pub(crate) domainname: Option<String>,
    /// Add a line to the hosts file
    #[arg(long = "add-host", value_name = "NAME:ADDRESS", value_parser = extra_host::parse)]
    pub(crate) extra_hosts: Vec<String>,
    /// Name server
    #[arg(long, value_name = "ADDRESS", value_parser = dns::parse_server)]
    pub(crate) dns: Vec<String>,
    /// Domain to search names in
    #[arg(long, value_name = "DOMAIN", value_parser = dns::parse_search_domain)]
    pub(crate) dns_search: Vec<String>,
    /// Option of the resolver
    #[arg(long = "dns-option", alias = "dns-opt", value_name = "OPTION")]
    pub(crate) dns_options: Vec<String>,
}
