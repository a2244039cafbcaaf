namespace OrleansSessions.SocketGateway.Access;

/// <summary>A configured API key. The key itself is not known here, only its hash.</summary>
internal sealed record ApiKey(string Name, byte[] Hash, string[] Permissions)
{
    private const int HashDigits = 64;

    /// <returns>Null if the value is not valid.</returns>
    public static ApiKey? Parse(string name, string value)
    {
        var parts = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts is [{ Length: HashDigits } hash, .. var permissions] && hash.All(char.IsAsciiHexDigit) && permissions.All(Access.Permissions.IsKnown)
            ? new(name, Convert.FromHexString(hash), permissions)
            : null;
    }

    /// <summary>Without the hash.</summary>
    public override string ToString() => $"{nameof(ApiKey)} {Name}";
}
