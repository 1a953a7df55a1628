//! Options for networks and names.

use clap::Args;

use crate::values::network::Attachment;
use crate::values::{dns, extra_host, ip_address, link, network};

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
    /// Network to connect to: bridge, host, none, container:NAME or a network's name; or fields, as in
    /// name=NAME,ip=ADDRESS: alias, ip, ip6, link-local-ip, mac-address, driver-opt, gw-priority
    #[arg(long, alias = "net", value_name = "NETWORK", value_parser = network::parse)]
    pub(crate) network: Vec<Attachment>,
    /// Additional name in the first network
    #[arg(long, alias = "net-alias", value_name = "NAME")]
    pub(crate) network_alias: Vec<String>,
    /// IPv4 address in the first network
    #[arg(long, value_name = "ADDRESS", value_parser = ip_address::parse_option)]
    pub(crate) ip: Option<String>,
    /// IPv6 address in the first network
    #[arg(long, value_name = "ADDRESS", value_parser = ip_address::parse_option)]
    pub(crate) ip6: Option<String>,
    /// Link-local address in the first network
    #[arg(long = "link-local-ip", value_name = "ADDRESS", value_parser = ip_address::parse_option)]
    pub(crate) link_local_ips: Vec<String>,
    /// MAC address in the first network
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mac_address: Option<String>,
    /// Name another container in the first network
    #[arg(long = "link", value_name = "CONTAINER[:ALIAS]", value_parser = link::parse)]
    pub(crate) links: Vec<String>,
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
