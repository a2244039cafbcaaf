namespace OrleansSessions.SocketGateway.Following;

/// <summary>
/// News of a removal that came while the position was not live. A read can bring the session's next life, so what counts is which life was meant
/// when the news came. A mutable struct: keep it in a field that is not readonly.
/// </summary>
internal struct PendingRemoval
{
    private long? _epoch;
    private bool _isCertain;

    public readonly bool IsPending => _epoch is not null;

    /// <param name="isCertain">True if the removal was of the life that the position belongs to.</param>
    public void Note(long epoch, bool isCertain)
    {
        _isCertain |= isCertain;
        _epoch = epoch;
    }

    /// <summary>The log turned out to be gone: a removal that is pending was this session's.</summary>
    public void ConfirmIfPending() => _isCertain |= IsPending;

    /// <summary>Ends the wait. True if the session, which is in <paramref name="epoch"/> now, was removed.</summary>
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
