namespace OrleansSessions.Grains.Questions;

/// <summary>The stored pages of a session, oldest first. Their numbers have no hole.</summary>
internal sealed class PageIndex
{
    private readonly List<EndedPage> _pages = [];

    /// <param name="first">The number of the first page.</param>
    public PageIndex(int first, IEnumerable<EndedPage> pages)
    {
        _pages.AddRange(pages);
        Next = first + _pages.Count;
        Questions = _pages.Sum(page => page.Ids.Length);
        Bytes = _pages.Sum(page => (long)page.Bytes);
    }

    public IReadOnlyList<EndedPage> All => _pages;

    /// <summary>The number of the next page to be written.</summary>
    public int Next { get; private set; }

    public int First => Next - _pages.Count;

    /// <summary>How many questions the pages hold.</summary>
    public int Questions { get; private set; }

    /// <summary>What they count for in <c>Sessions:KeptBytes</c>.</summary>
    public long Bytes { get; private set; }

    /// <summary>True if a page holds questions that are not in memory. The oldest pages are those that are not loaded.</summary>
    public bool HasUnloaded => _pages.Count > 0 && !_pages[0].IsLoaded;

    public void Add(EndedPage page)
    {
        _pages.Add(page);
        Next++;
        Questions += page.Ids.Length;
        Bytes += page.Bytes;
    }

    public EndedPage RemoveOldest()
    {
        var page = _pages[0];
        _pages.RemoveAt(0);
        Questions -= page.Ids.Length;
        Bytes -= page.Bytes;
        return page;
    }

    /// <summary>Removes a page and all that are older.</summary>
    public List<EndedPage> RemoveUpTo(EndedPage page)
    {
        var removed = new List<EndedPage>();
        while (First <= page.Number)
        {
            removed.Add(RemoveOldest());
        }

        return removed;
    }

    /// <summary>True if a page that is not loaded holds a question with this id, or with another one of the same hash.</summary>
    public bool MayHold(string id)
    {
        if (!HasUnloaded)
        {
            return false;
        }

        var hash = QuestionIds.Hash(id);
        return _pages.Exists(page => !page.IsLoaded && page.Ids.Contains(hash));
    }
}
