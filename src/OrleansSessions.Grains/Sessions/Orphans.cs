using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>
/// The questions that basic sockets asked without an id, and so only their own connection can get the answer of. They give way to the next question once that
/// connection is gone, or may be.
/// </summary>
internal sealed class Orphans(QuestionQueue questions)
{
    /// <summary>
    /// A basic socket has opened. What other basic sockets asked without an id gives way to its question, unless they are heard from again:
    /// a connection that broke without a close would block the next one until its heartbeats fail.
    /// </summary>
    public void Outrank(string connection)
    {
        foreach (var question in questions.All)
        {
            if (question.IsOrphanable && question.Connection != connection)
            {
                question.OutrankedBy = connection;
            }
        }
    }

    /// <summary>A connection asks, so it is there: no newer socket outranks it any more.</summary>
    public void MarkHeard(string? connection)
    {
        if (questions.Running is null)
        {
            return;
        }

        foreach (var question in questions.All)
        {
            if (question.OutrankedBy is not null && question.Connection == connection)
            {
                question.OutrankedBy = null;
            }
        }
    }

    /// <summary>A connection is gone: no other can ever get the answers to what it asked without an id.</summary>
    public void Forget(string connection)
    {
        foreach (var question in questions.All)
        {
            question.IsConnectionGone |= question.Connection == connection;
        }
    }

    /// <summary>The questions that give way to what a connection asks, running and waiting: none where the running one does not.</summary>
    /// <param name="isOrphaned">True for a question whose connection is gone.</param>
    public List<Question> FindThatGiveWayTo(string? connection, Func<Question, bool> isOrphaned)
    {
        bool GivesWay(Question question) => isOrphaned(question) || (question.OutrankedBy is { } newer && newer == connection);
        return questions.Running is { } running && GivesWay(running) ? [.. questions.All.Where(GivesWay)] : [];
    }
}
