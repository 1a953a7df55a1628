//! A client of the Docker Engine API over unix sockets and TCP.
