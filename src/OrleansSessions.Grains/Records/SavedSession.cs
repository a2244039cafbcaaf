using OrleansSessions.Grains.Questions;

namespace OrleansSessions.Grains.Records;

/// <summary>What an earlier activation has left of a session.</summary>
/// <param name="Ended">The newest ended questions, oldest first: those of the pages that are loaded, and those that no page holds.</param>
/// <param name="Open">The running question, and then the queue in order.</param>
internal sealed record SavedSession(SessionRecord Record, PageIndex Pages, IReadOnlyList<Question> Ended, IReadOnlyList<Question> Open)
{
    /// <summary>A session whose record holds all of it, as it is without a store.</summary>
    public static SavedSession Of(SessionRecord record)
    {
        var questions = record.Questions.ConvertAll(question => question.ToQuestion(null));
        return new(record, new(0, []), questions.FindAll(question => question.IsFinal), questions.FindAll(question => !question.IsFinal));
    }
}
