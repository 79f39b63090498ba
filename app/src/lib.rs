//! The web above the business: routes, pages, components, the server and the command line.
