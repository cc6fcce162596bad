// Network namespaces (network_namespaces(7)) under the names that ip-netns(8) gives them. Those the
// configuration names are opened while it is read, before chroot and loss of rights, and stay open.
#pragma once

#include <cstdint>
#include <string_view>

namespace net {

// "namespace *" of a server: the one its client came from.
inline constexpr std::string_view kNamespaceOfClient = "*";

// False with errno when there is none of that name. Opening it again is a look into a list.
bool open_namespace(std::string_view name);
// Whether open_namespace() succeeded for it.
bool knows_namespace(std::string_view name);
// The name of the opened one that a socket belongs to; empty: the process's own. The view stays.
std::string_view namespace_of_socket(int fd);

// socket(2) in an opened namespace, the calling thread being back in its own afterwards; an empty
// name means that one.
int socket_in(std::string_view name, int family, int type, int protocol);

}  // namespace net
