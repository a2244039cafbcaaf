namespace OrleansSessions.Conformance.Proxies;

/// <summary>What a proxy does with the frames and replies that pass it.</summary>
internal interface IProxyPlan
{
    /// <summary>Returns the server for the next socket or request.</summary>
    Uri ChooseServer();

    /// <summary>A frame of the server. Returns what the client is sent in its place.</summary>
    IEnumerable<string> OnServerFrame(IProxiedConnection connection, string json);

    /// <summary>A frame of the client over a socket. Returns what the server is sent in its place.</summary>
    IEnumerable<string> OnClientFrame(IProxiedConnection socket, string json);

    /// <summary>The server closes the socket. Returns the close code that the client is sent.</summary>
    int OnServerClose(int code);

    /// <summary>A request of the client over HTTP. Returns what happens to it; a lost one, or a lost reply, resets its connection.</summary>
    QuestionFate OnRequest(string request, string body);

    /// <summary>A reply of the server over HTTP. Returns the body that the client is sent.</summary>
    string OnReply(string request, string body);
}
