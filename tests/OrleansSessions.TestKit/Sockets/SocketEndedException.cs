using Xunit.Sdk;

namespace OrleansSessions.TestKit.Sockets;

/// <summary>A socket ended while a test waited for one of its frames.</summary>
public sealed class SocketEndedException(string message) : XunitException(message);
