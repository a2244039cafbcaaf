namespace OrleansSessions.SocketGateway.Access;

/// <summary>
/// A token cannot be checked at the moment, for example because the authority that has its keys cannot be reached. An authentication scheme that fails with
/// this exception (<c>AuthenticateResult.Fail</c>) lets its callers come back: they get <c>internal</c>, which is temporary, and not <c>unauthorized</c>.
/// </summary>
public sealed class TokenCheckUnavailableException(Exception? cause = null) : Exception("The token cannot be checked at the moment.", cause);
