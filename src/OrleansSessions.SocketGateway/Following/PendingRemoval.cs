namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// A removal that was reported while the position was not live. A read can return the next life of the session, so the life that was current when the
/// report arrived decides. A mutable struct: keep it in a field that is not readonly.
/// </summary>
internal struct PendingRemoval
{
    private long? _epoch;
    private bool _isCertain;

    public readonly bool IsPending => _epoch is not null;

    /// <param name="isCertain">True if the life that the position belongs to was removed.</param>
    public void Note(long epoch, bool isCertain)
    {
        _isCertain |= isCertain;
        _epoch = epoch;
    }

    /// <summary>The log no longer exists, so a pending removal applies to this session.</summary>
    public void ConfirmIfPending() => _isCertain |= IsPending;

    /// <summary>Clears the pending removal. Returns true if the session, whose epoch is now <paramref name="epoch"/>, was removed.</summary>
    public bool Settle(long epoch)
    {
        if (_epoch is not { } removed)
        {
            return false;
        }

        _epoch = null;
        return _isCertain || removed >= epoch;
    }
}
