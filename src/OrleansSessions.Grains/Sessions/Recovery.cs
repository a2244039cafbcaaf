using OrleansSessions.Grains.Questions;
using OrleansSessions.Responders;
using OrleansSessions.Sessions;

namespace OrleansSessions.Grains.Sessions;

/// <summary>What becomes of a question whose process died, or was stopped, while it ran.</summary>
/// <param name="responder">Answers from now on.</param>
/// <param name="mode">What that responder declares.</param>
internal sealed class Recovery(SessionsOptions options, ResponderRegistration responder, RecoveryMode mode)
{
    /// <summary>Begins another attempt at a question, or returns how it ends: it then keeps the text that was saved.</summary>
    public Ending? Resume(Question question, DateTimeOffset now)
    {
        if (question.Responder != responder.Name)
        {
            return Ending.ResponderLost;
        }

        if (question.IsAnsweredFromOutside)
        {
            // Whoever answers is not lost. Its next piece tells it where to go on.
            question.BeginAttempt(question.Attempt, keepsText: true, now);
            return null;
        }

        if (question.IsHandedOver)
        {
            // A planned move is no failure, however often it happens.
            question.IsHandedOver = false;
            question.HandOvers++;
        }
        else
        {
            question.FruitlessAttempts = question.Length > question.LengthBefore ? 0 : question.FruitlessAttempts + 1;
        }

        var isPossible = mode switch
        {
            RecoveryMode.Continue => question.FruitlessAttempts < options.MaxAttempts,
            RecoveryMode.AskAgain => question.Attempt - question.HandOvers < options.MaxAttempts,
            _ => false,
        };
        if (!isPossible)
        {
            return Ending.ResponderLost;
        }

        question.BeginAttempt(question.Attempt + 1, keepsText: mode == RecoveryMode.Continue, now);
        return null;
    }
}
